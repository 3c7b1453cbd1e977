import { err, ok, type Result } from '../core/result.ts';
import { accessTokenClaims, tokenTypeOf } from '../oidc/access_token.ts';
import { type AuthenticatedClient, authenticateClient } from '../oidc/client_auth/index.ts';
import { endpointPaths } from '../oidc/discovery.ts';
import type { Refusal } from '../oidc/errors.ts';
import { type GrantFacts, type Issue, refuseSpent } from '../oidc/grants/grant.ts';
import { checkGrant } from '../oidc/grants/index.ts';
import { idTokenAlgorithmOf, idTokenClaims } from '../oidc/id_token.ts';
import { type Form, firstFault, single } from '../oidc/parameters.ts';
import { encodeRefreshToken } from '../oidc/refresh_token.ts';
import { json } from './answer.ts';
import { readForm } from './body.ts';
import { type Dependencies, findClient, signerOf } from './dependencies.ts';
import { nonceHeader, proofOfTokenRequest } from './dpop.ts';
import type { Exchange, Handler } from './exchange.ts';
import { refuse, refuseBody } from './refused.ts';

/** RFC 6749 §3.2. Authenticate, check without the database, spend what was proved with, redeem, sign. */
export function tokenEndpoint(deps: Dependencies): Handler {
  return async (exchange) => {
    const body = await readForm(exchange.request);
    if (!body.ok) return refuseBody(deps.log, exchange, body.error);
    const issued = await issue(deps, exchange, body.value);
    const headers = nonceHeader(deps, exchange);
    if (issued.ok) return json(await tokenResponse(deps, exchange, issued.value), 200, headers);
    return refuse(deps.log, exchange, issued.error.refusal, {
      clientId: issued.error.clientId,
      headers: headers ?? {},
    });
  };
}

type Issued = {
  readonly issue: Issue;
  readonly client: AuthenticatedClient['client'];
  readonly senderKey: string | null;
};

type Refused = { readonly refusal: Refusal; readonly clientId: string | null };

async function issue(deps: Dependencies, exchange: Exchange, form: Form): Promise<Result<Issued, Refused>> {
  const fault = firstFault(form);
  if (fault !== null) return err({ refusal: fault, clientId: null });
  const authenticated = await authenticate(deps, exchange, form);
  if (!authenticated.ok) return err({ refusal: authenticated.error, clientId: null });
  const { client, proof } = authenticated.value;
  const shown = await proofOfTokenRequest(deps, exchange, client);
  if (!shown.ok) return err({ refusal: shown.error, clientId: client.clientId });
  const senderKey = shown.value?.thumbprint ?? null;
  const proofs = [proof, shown.value?.spend ?? null].filter((one) => one !== null);
  const redeemed = await redeemGrant(deps, exchange, form, { client, senderKey, proofs });
  return redeemed.ok
    ? ok({ issue: redeemed.value, client, senderKey })
    : err({ refusal: redeemed.error, clientId: client.clientId });
}

async function redeemGrant(
  deps: Dependencies,
  { realm, now, address, agent }: Exchange,
  form: Form,
  { client, senderKey, proofs }: Pick<GrantFacts, 'client' | 'senderKey' | 'proofs'>,
): Promise<Result<Issue, Refusal>> {
  const presenter = { address, agent };
  const checked = checkGrant({ realm, client, form, ring: deps.ring, now, presenter, senderKey, proofs });
  if (!checked.ok) return checked;
  const { redeem, spendsProofs } = checked.value;
  // RFC 7523 §3, RFC 9449 §11.1: a jti counts once. Spent last, so that a request refused for another reason can be mended
  // and sent again.
  const spent = proofs.length === 0 || spendsProofs ? null : await deps.spendProofs(proofs);
  if (spent !== null) return err(refuseSpent(spent));
  return redeem(deps.families);
}

/** The client of a request to the token, introspection or revocation endpoint. */
export function authenticate(
  deps: Dependencies,
  exchange: Exchange,
  form: Form,
): Promise<Result<AuthenticatedClient, Refusal>> {
  const { realm, now, path } = exchange;
  const audiences = [realm.issuer, realm.issuer + endpointPaths.token_endpoint, realm.issuer + path];
  return authenticateClient(
    {
      authorization: exchange.request.headers.get('authorization'),
      client_id: single(form, 'client_id'),
      client_secret: single(form, 'client_secret'),
      client_assertion: single(form, 'client_assertion'),
      client_assertion_type: single(form, 'client_assertion_type'),
    },
    {
      realm,
      now,
      audiences,
      clientKeys: deps.clientKeys,
      findClient: (clientId) => findClient(deps, realm, clientId, now),
    },
  );
}

/** RFC 6749 §5.1, OIDC Core §3.1.3.3. */
async function tokenResponse(deps: Dependencies, { realm, keys, now }: Exchange, { issue, client, senderKey }: Issued) {
  const { grant, scope, familyId, refreshToken, nonce, userClaims } = issue;
  const access = accessTokenClaims({ realm, client, grant, scope, familyId, senderKey, now });
  const accessToken = await signerOf(keys, client.settings.accessTokenSigningAlgorithm).sign('at+jwt', access);
  const identity = scope.includes('openid')
    ? idTokenClaims({ realm, client, grant, userClaims, nonce, accessToken, code: null, now })
    : null;
  return {
    access_token: accessToken,
    token_type: tokenTypeOf(senderKey),
    expires_in: client.settings.accessTokenLifetimeSeconds,
    scope: scope.join(' '),
    ...(refreshToken === null ? {} : { refresh_token: encodeRefreshToken(deps.ring, realm.id, refreshToken) }),
    ...(identity === null ? {} : { id_token: await signerOf(keys, idTokenAlgorithmOf(client)).sign('JWT', identity) }),
  };
}
