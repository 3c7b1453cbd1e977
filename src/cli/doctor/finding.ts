/** One line of the examination. `mend`: what to do about it. */
export type Finding =
  | { readonly state: 'ok'; readonly subject: string; readonly finding: string }
  | { readonly state: 'warn' | 'fail'; readonly subject: string; readonly finding: string; readonly mend: string };

export const fine = (subject: string, finding: string): Finding => ({ state: 'ok', subject, finding });

export const warn = (subject: string, finding: string, mend: string): Finding => ({
  state: 'warn',
  subject,
  finding,
  mend,
});

export const fail = (subject: string, finding: string, mend: string): Finding => ({
  state: 'fail',
  subject,
  finding,
  mend,
});
