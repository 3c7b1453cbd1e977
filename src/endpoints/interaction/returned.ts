import { brandId, type FamilyId } from '../../core/ids.ts';
import { accessTokenClaims } from '../../oidc/access_token.ts';
import { type CodeContent, grantOfCode } from '../../oidc/authorization_code.ts';
import type { Returned } from '../../oidc/authorize/response.ts';
import { isFrontChannel, returns } from '../../oidc/authorize/response_type.ts';
import { idTokenAlgorithmOf, idTokenClaims } from '../../oidc/id_token.ts';
import type { Grant } from '../../oidc/token_family.ts';
import { type Dependencies, signerOf } from '../dependencies.ts';
import { codeOf } from './completion.ts';
import type { RunResult } from './ports.ts';
import type { ClientRecipient } from './respond.ts';

/**
 * What the authorization response returns (OIDC Core §3): nearly always the code alone, which costs nothing here. null:
 * user or session are gone, so there is nothing to return a token of.
 */
export async function returnedFrom(
  deps: Dependencies,
  recipient: ClientRecipient,
  result: RunResult,
  content: CodeContent,
): Promise<Returned | null> {
  const { exchange, request } = recipient;
  const { responseType } = request;
  const code = returns(responseType, 'code') ? codeOf(deps.ring, exchange.realm, result, content) : null;
  if (!isFrontChannel(responseType)) return { code, accessToken: null, idToken: null };
  const grant = grantOfCode(content);
  const accessToken =
    result.frontFamilyId === null ? null : await frontToken(deps, recipient, grant, result.frontFamilyId, content);
  if (accessToken === null && result.frontFamilyId !== null) return null;
  if (accessToken === null && grant.sessionId !== null) {
    const isNoted = await deps.sessions.noteClient(exchange.realm.id, grant.sessionId, grant.clientId);
    if (!isNoted) return null;
  }
  const idToken = returns(responseType, 'id_token')
    ? await frontIdToken(deps, recipient, grant, { accessToken: accessToken?.value ?? null, code })
    : null;
  return { code, accessToken, idToken };
}

/** An access token from here has a family of its own, without refresh token, so that it can be revoked like any other. */
async function frontToken(
  deps: Dependencies,
  { exchange, client }: ClientRecipient,
  grant: Grant,
  id: string,
  content: CodeContent,
): Promise<Returned['accessToken']> {
  const { realm, keys, now, address, agent } = exchange;
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
    presenter: { address, agent },
  });
  if (!isAlive) return null;
  const claims = accessTokenClaims({ realm, client, grant, scope: grant.scope, familyId, now });
  const value = await signerOf(keys, client.settings.accessTokenSigningAlgorithm).sign('at+jwt', claims);
  return { value, lifetimeSeconds: client.settings.accessTokenLifetimeSeconds, scope: grant.scope.join(' ') };
}

async function frontIdToken(
  deps: Dependencies,
  { exchange, client, request }: ClientRecipient,
  grant: Grant,
  beside: { readonly accessToken: string | null; readonly code: string | null },
): Promise<string | null> {
  const { realm, keys, now } = exchange;
  const userClaims = grant.userId === null ? null : await deps.userClaims(realm.id, grant.userId);
  const { nonce } = request;
  const claims = idTokenClaims({ realm, client, grant, userClaims: userClaims ?? {}, nonce, ...beside, now });
  return claims === null ? null : signerOf(keys, idTokenAlgorithmOf(client)).sign('JWT', claims);
}
