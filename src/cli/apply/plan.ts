import { printable } from '../output.ts';

export type Subject = 'realm' | 'client' | 'user';

/** What became, or would become, of one thing that the document names. Members by their names, never their values. */
export type Step = {
  readonly action: 'create' | 'change' | 'unchanged' | 'disable';
  readonly subject: Subject;
  readonly realm: string;
  readonly name: string;
  readonly members: readonly string[];
};

/** A step, or what is refused: a line each, without the place in the document. */
export type Applied = { readonly step: Step } | { readonly faults: readonly string[] };

export const isChange = ({ action }: Step): boolean => action !== 'unchanged';

/** The plan for people: what changes, a line each, and how much stays as it is. */
export function planText(steps: readonly Step[], { dryRun }: { readonly dryRun: boolean }): string {
  const changes = steps.filter(isChange);
  const unchanged = steps.length - changes.length;
  const lines = changes.map(({ action, subject, realm, name, members }) => {
    const what = subject === 'realm' ? name : `${realm}/${name}`;
    const listed = action === 'change' ? `: ${members.join(', ')}` : '';
    return `${action.padEnd(7)} ${subject.padEnd(6)} ${printable(what)}${listed}`;
  });
  const summary = `${changes.length} to change, ${unchanged} unchanged`;
  if (changes.length === 0) return `Nothing to do: ${unchanged} unchanged.`;
  return [
    ...lines,
    '',
    dryRun ? `${summary}. Nothing was written.` : `Done: ${summary.replace(' to change', ' changed')}.`,
  ].join('\n');
}

/** Equal as JSON documents are: the order of members does not count. */
export const sameJson = (left: unknown, right: unknown): boolean => canonical(left) === canonical(right);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );

/** The names of the members whose values differ. */
export const changedMembers = (
  before: { readonly [name: string]: unknown },
  after: { readonly [name: string]: unknown },
): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !sameJson(before[name], after[name]));
