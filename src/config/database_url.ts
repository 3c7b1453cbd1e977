import { ok } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { type Read, refuse } from './read.ts';

/** Never repeats what was typed: it holds a password. */
export const readDatabaseUrl: Read<Secret> = (typed) => {
  if (!/^postgres(ql)?:\/\//.test(typed)) {
    return refuse('is not a Postgres URL', 'write postgres://user:password@host:port/database');
  }
  const mend = 'percent-encode special characters in the password (# / ? @ : and spaces)';
  if (/\s/.test(typed)) return refuse('has white space in it', mend);
  // Several hosts (a primary and its standbys) are no URL to the parser; the driver tries them in turn.
  const oneHost = typed.replace(/,[^@/?]*(?=[/?]|$)/, '');
  return URL.canParse(oneHost) ? ok(new Secret(typed)) : refuse('cannot be read as a URL', mend);
};
