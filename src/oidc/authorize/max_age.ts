import { err, ok, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';

/** OIDC Core §3.1.2.1, Registration §2 `default_max_age`. Seconds; null: any age. */
export function checkMaxAge(
  sent: string | undefined,
  client: Pick<Client, 'defaultMaxAgeSeconds'>,
): Result<number | null, Refusal> {
  if (sent === undefined) return ok(client.defaultMaxAgeSeconds);
  if (!/^[0-9]{1,9}$/.test(sent)) {
    return err(refusal('invalid_request', 'max_age must be a number of seconds', 'OIDC Core §3.1.2.1', 'max_age'));
  }
  return ok(Number(sent));
}
