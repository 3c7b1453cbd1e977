import { err, ok, type Result } from '../core/result.ts';
import { accessTokenClaims, type Exchanged } from '../oidc/access_token.ts';
import type { Client } from '../oidc/client.ts';
import { type AuthenticatedClient, authenticateClient } from '../oidc/client_auth/index.ts';
import { refuseClient } from '../oidc/client_auth/method.ts';
import { endpointPaths } from '../oidc/discovery.ts';
import type { Refusal } from '../oidc/errors.ts';
import type { Issue, TokenPorts } from '../oidc/grants/grant.ts';
import { checkGrant } from '../oidc/grants/index.ts';
import { idTokenClaims } from '../oidc/id_token.ts';
import { type Form, firstFault, single } from '../oidc/parameters.ts';
import { encodeRefreshToken } from '../oidc/refresh_token.ts';
import { chooseRecipient, encryptionOf, type JweRecipient } from '../oidc/response_encryption.ts';
import { json } from './answer.ts';
import { readForm } from './body.ts';
import { type Dependencies, findClient, findPresentedClient } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import { issueIdToken } from './id_token.ts';
import { type VerifyAccessToken, writeAccessToken } from './own_token.ts';
import { refuse, refuseBody } from './refused.ts';

/** RFC 6749 §3.2. Authenticate, check without the database, spend the assertion, redeem, sign. */
export function tokenEndpoint(deps: Dependencies, verify: VerifyAccessToken): Handler {
  return async (exchange) => {
    const body = await readForm(exchange.request);
    if (!body.ok) return refuseBody(deps.log, exchange, body.error);
    const issued = await issue(deps, verify, exchange, body.value);
    if (issued.ok) return json(await tokenResponse(deps, exchange, issued.value));
    return refuse(deps.log, exchange, issued.error.refusal, { clientId: issued.error.clientId });
  };
}

type Redeemed = { readonly issue: Issue; readonly recipient: JweRecipient | null };
type Issued = Redeemed & { readonly client: AuthenticatedClient['client'] };

type Refused = { readonly refusal: Refusal; readonly clientId: string | null };

async function issue(
  deps: Dependencies,
  verify: VerifyAccessToken,
  exchange: Exchange,
  form: Form,
): Promise<Result<Issued, Refused>> {
  const fault = firstFault(form);
  if (fault !== null) return err({ refusal: fault, clientId: null });
  const authenticated = await authenticate(deps, exchange, form);
  if (!authenticated.ok) return err({ refusal: authenticated.error, clientId: null });
  const { client } = authenticated.value;
  const redeemed = await redeemGrant(deps, verify, exchange, form, authenticated.value);
  return redeemed.ok ? ok({ ...redeemed.value, client }) : err({ refusal: redeemed.error, clientId: client.clientId });
}

async function redeemGrant(
  deps: Dependencies,
  verify: VerifyAccessToken,
  { realm, keys, now, address, agent }: Exchange,
  form: Form,
  { client, proof }: AuthenticatedClient,
): Promise<Result<Redeemed, Refusal>> {
  const proofs = proof === null ? [] : [proof];
  const tokens: TokenPorts = {
    read: (token) => verify(token, realm, keys, now),
    findClient: (clientId) => findClient(deps, realm, clientId, now),
  };
  const presenter = { address, agent };
  const checked = checkGrant({ realm, client, form, ring: deps.ring, now, presenter, proofs, tokens });
  if (!checked.ok) return checked;
  const { redeem, spendsProofs, givesIdToken } = checked.value;
  // OIDC Core §10.2. Before anything is spent, so that the request can be sent again once the client's keys can be had.
  const encrypts = givesIdToken && encryptionOf(client, 'id_token') !== null;
  const recipient = encrypts ? await chooseRecipient(deps.clientKeys, client, 'id_token') : nobody;
  if (!recipient.ok) return recipient;
  // RFC 7523 §3: a jti counts once. Spent last, so that a request refused for another reason can be mended and sent again.
  if (proof !== null && !spendsProofs && !(await deps.spendProof(proof))) return err(refuseClient('RFC 7523 §3'));
  const redeemed = await redeem(deps.families);
  return redeemed.ok ? ok({ issue: redeemed.value, recipient: recipient.value }) : redeemed;
}

const nobody = ok(null);

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
      openClientSecret: deps.openClientSecret,
      findClient: (clientId) => findPresentedClient(deps, exchange, clientId),
    },
  );
}

/** RFC 6749 §5.1, OIDC Core §3.1.3.3. */
async function tokenResponse(deps: Dependencies, { realm, keys, now }: Exchange, { issue, client, recipient }: Issued) {
  const { grant, scope, familyId, refreshToken, nonce, userClaims, exchanged } = issue;
  if (exchanged !== undefined) logExchange(deps, realm, client, exchanged);
  const access = accessTokenClaims({ realm, client, grant, scope, familyId, now, exchanged });
  const accessToken = await writeAccessToken(deps, { realm, keys }, client, grant.audience, access);
  const identity =
    scope.includes('openid') && exchanged === undefined
      ? idTokenClaims({ realm, client, grant, userClaims, nonce, accessToken, code: null, now })
      : null;
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: access.exp - access.iat,
    scope: scope.join(' '),
    ...(exchanged === undefined ? {} : { issued_token_type: exchanged.issuedTokenType }),
    ...(refreshToken === null ? {} : { refresh_token: encodeRefreshToken(deps.ring, realm.id, refreshToken) }),
    ...(identity === null ? {} : { id_token: await issueIdToken(keys, client, identity, recipient) }),
  };
}

/** Who got a token for whose: a line in the log and no audit row, which would be the only row that an exchange writes. */
function logExchange(
  { log }: Dependencies,
  { slug }: Exchange['realm'],
  { clientId }: Client,
  exchanged: Exchanged,
): void {
  const { subject, subjectClientId, act } = exchanged;
  log.info('token.exchanged', { realm: slug, clientId, subject, subjectClientId, actor: act?.sub ?? null });
}
