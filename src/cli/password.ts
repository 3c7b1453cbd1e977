import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { Option } from './command.ts';
import type { Terminal } from './deps.ts';

/** Never an argument: those are in the shell's history and in every process list. */
export const passwordOption = {
  type: 'flag',
  sentence: 'Read the password from the standard input, up to its end. Otherwise it is asked for.',
} as const satisfies Option;

const shortest = 8;
const longest = 1024;

/** A new password from the standard input, or asked for twice. */
export async function readNewPassword(fromInput: boolean, terminal: Terminal): Promise<Result<Secret, string>> {
  if (fromInput) return checkPassword((await terminal.readAll()).replace(/\r?\n$/, ''));
  if (!terminal.isInteractive) return err('there is no terminal to ask on; give the password with --password-stdin');
  const first = await terminal.askSecret('Password: ');
  const second = await terminal.askSecret('Again: ');
  return first === second ? checkPassword(first) : err('the two passwords differ');
}

/** Length only (NIST SP 800-63B §5.1.1): rules of composition make passwords worse. */
export function checkPassword(typed: string): Result<Secret, string> {
  const length = [...typed].length;
  if (length < shortest) return err(`the password has fewer than ${shortest} characters`);
  if (length > longest) return err(`the password has more than ${longest} characters`);
  return ok(new Secret(typed));
}
