import { err, ok, type Result } from '../core/result.ts';
import type { Client } from './client.ts';
import { type Refusal, refusal } from './errors.ts';
import { claimScopes } from './standard_claims.ts';

/** Scope values this provider itself gives a meaning to; clients may be registered for others of their resources. */
export const protocolScopes: readonly string[] = ['openid', 'offline_access', ...claimScopes];

const tokenPattern = /^[!#-[\]-~]+$/;

export const isScopeToken = (text: string): boolean => tokenPattern.test(text) && text.length <= 128;

export const scopeTokens = (text: string): readonly string[] => [
  ...new Set(text.split(' ').filter((token) => token !== '')),
];

/**
 * RFC 6749 §3.3. What the client is not registered for is left out, as OIDC Core §3.1.2.1 wants of values that mean
 * nothing here; nothing left is `invalid_scope`. The order asked for is kept, doubles are dropped.
 */
export function grantableScope(
  asked: string | undefined,
  client: Pick<Client, 'scope'>,
): Result<readonly string[], Refusal> {
  const tokens = scopeTokens(asked ?? '');
  if (!tokens.every(isScopeToken)) {
    return err(refusal('invalid_scope', 'scope holds a character that is not allowed', 'RFC 6749 §3.3', 'scope'));
  }
  const granted = tokens.filter((token) => client.scope.includes(token));
  if (granted.length === 0) {
    return err(refusal('invalid_scope', 'scope names nothing that this client may ask for', 'RFC 6749 §3.3', 'scope'));
  }
  return ok(granted);
}
