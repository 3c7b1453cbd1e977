/**
 * The token endpoint's grants. A grant type is one file and one line of this list; discovery, registration and the refusal
 * of what is not registered follow from it.
 */
import { err, ok, type Result } from '../../core/result.ts';
import { type Refusal, refusal } from '../errors.ts';
import { authorizationCode } from './authorization_code.ts';
import { clientCredentials } from './client_credentials.ts';
import { deviceCodeGrant } from './device_code.ts';
import type { GrantFacts, GrantType, Redeem } from './grant.ts';
import { refreshToken } from './refresh_token.ts';
import { tokenExchange } from './token_exchange.ts';

const grantTypes: readonly GrantType[] = [
  authorizationCode,
  refreshToken,
  clientCredentials,
  tokenExchange,
  deviceCodeGrant,
];

export const grantTypeNames: readonly string[] = grantTypes.map(({ type }) => type);

export const signInGrantTypes: readonly string[] = grantTypes.filter(({ signsIn }) => signsIn).map(({ type }) => type);

export const classesOfGrantType = (type: string): readonly string[] =>
  grantTypes.find((grant) => grant.type === type)?.forClass ?? [];

export type CheckedGrant = {
  readonly redeem: Redeem;
  readonly spendsProofs: boolean;
  readonly givesIdToken: boolean;
};

/** RFC 6749 §5.2: unknown, not registered for, or refused by the grant itself. */
export function checkGrant(facts: GrantFacts): Result<CheckedGrant, Refusal> {
  const { grant_type: sent } = facts.form.values;
  if (sent === undefined)
    return err(refusal('invalid_request', 'grant_type is missing', 'RFC 6749 §4.1.3', 'grant_type'));
  const grant = grantTypes.find(({ type }) => type === sent);
  if (grant === undefined) {
    return err(refusal('unsupported_grant_type', 'this grant_type is not supported', 'RFC 6749 §5.2', 'grant_type'));
  }
  if (!facts.client.grantTypes.includes(grant.type) || !grant.forClass.includes(facts.client.class)) {
    return err(
      refusal('unauthorized_client', 'this client may not use this grant_type', 'RFC 6749 §5.2', 'grant_type'),
    );
  }
  const checked = grant.check(facts);
  if (!checked.ok) return checked;
  const { spendsProofs = false, givesNoIdToken = false } = grant;
  return ok({ redeem: checked.value, spendsProofs, givesIdToken: !givesNoIdToken });
}
