import { brandId, type FamilyId } from '../../core/ids.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { accessTokenClaims } from '../../oidc/access_token.ts';
import { type CodeContent, grantOfCode } from '../../oidc/authorization_code.ts';
import type { Returned } from '../../oidc/authorize/response.ts';
import { isFrontChannel, returns } from '../../oidc/authorize/response_type.ts';
import type { Refusal } from '../../oidc/errors.ts';
import { idTokenClaims } from '../../oidc/id_token.ts';
import { chooseRecipient, type JweRecipient } from '../../oidc/response_encryption.ts';
import type { Grant } from '../../oidc/token_family.ts';
import type { Dependencies } from '../dependencies.ts';
import { issueIdToken } from '../id_token.ts';
import { writeAccessToken } from '../own_token.ts';
import { codeOf } from './completion.ts';
import { refusalOfFailure } from './failure.ts';
import type { RunResult } from './ports.ts';
import type { ClientRecipient } from './respond.ts';

/**
 * What the authorization response returns (OIDC Core §3): nearly always the code alone, which costs nothing here. Refused
 * where user or session are gone, so that there is nothing to return a token of, and where the client has no key to encrypt
 * its ID token to.
 */
export async function returnedFrom(
  deps: Dependencies,
  recipient: ClientRecipient,
  result: RunResult,
  content: CodeContent,
): Promise<Result<Returned, Refusal>> {
  const { exchange, request, client } = recipient;
  const { responseType } = request;
  const code = returns(responseType, 'code') ? codeOf(deps.ring, exchange.realm, result, content) : null;
  if (!isFrontChannel(responseType)) return ok({ code, accessToken: null, idToken: null });
  const encryption = returns(responseType, 'id_token')
    ? await chooseRecipient(deps.clientKeys, client, 'id_token')
    : ok(null);
  if (!encryption.ok) return encryption;
  const grant = grantOfCode(content);
  const accessToken =
    result.frontFamilyId === null ? null : await frontToken(deps, recipient, grant, result.frontFamilyId, content);
  if (accessToken === null && result.frontFamilyId !== null) return gone;
  if (accessToken === null && grant.sessionId !== null) {
    const isNoted = await deps.sessions.noteClient(exchange.realm.id, grant.sessionId, grant.clientId);
    if (!isNoted) return gone;
  }
  const idToken = returns(responseType, 'id_token')
    ? await frontIdToken(deps, recipient, grant, { accessToken: accessToken?.value ?? null, code }, encryption.value)
    : null;
  return ok({ code, accessToken, idToken });
}

const gone = err(refusalOfFailure('user_disabled'));

/**
 * An access token from here has a family of its own, without refresh token, so that it can be revoked like any other. It is
 * bound to no key: nothing in an authorization request proves one (RFC 9449 §5 binds at the token endpoint).
 */
async function frontToken(
  deps: Dependencies,
  { exchange, client }: ClientRecipient,
  grant: Grant,
  id: string,
  content: CodeContent,
): Promise<Returned['accessToken']> {
  const { realm, now, address, agent } = exchange;
  const familyId = brandId<FamilyId>(id);
  const isAlive = await deps.families.openFront({
    familyId,
    realmId: realm.id,
    grant,
    offline: false,
    secretHash: null,
    codeIssuedAt: content.issued_at,
    codeExpiresAt: content.expires_at,
    frontFamilyId: null,
    senderKey: null,
    proofs: [],
    presenter: { address, agent },
  });
  if (!isAlive) return null;
  const claims = accessTokenClaims({ realm, client, grant, scope: grant.scope, familyId, senderKey: null, now });
  const value = await writeAccessToken(deps, exchange, client, grant.audience, claims);
  return { value, lifetimeSeconds: client.settings.accessTokenLifetimeSeconds, scope: grant.scope.join(' ') };
}

async function frontIdToken(
  deps: Dependencies,
  { exchange, client, request }: ClientRecipient,
  grant: Grant,
  beside: { readonly accessToken: string | null; readonly code: string | null },
  encryption: JweRecipient | null,
): Promise<string | null> {
  const { realm, keys, now } = exchange;
  const userClaims = grant.userId === null ? null : await deps.userClaims(realm.id, grant.userId);
  const { nonce } = request;
  const claims = idTokenClaims({ realm, client, grant, userClaims: userClaims ?? {}, nonce, ...beside, now });
  return claims === null ? null : issueIdToken(keys, client, claims, encryption);
}
