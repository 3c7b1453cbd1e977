import { err, ok, type Result } from '../core/result.ts';
import { accessTokenClaims } from '../oidc/access_token.ts';
import { type AuthenticatedClient, authenticateClient } from '../oidc/client_auth/index.ts';
import { refuseClient } from '../oidc/client_auth/method.ts';
import { endpointPaths } from '../oidc/discovery.ts';
import type { Refusal } from '../oidc/errors.ts';
import type { Issue } from '../oidc/grants/grant.ts';
import { checkGrant, mayIdentify } from '../oidc/grants/index.ts';
import { idTokenClaims } from '../oidc/id_token.ts';
import { type Form, firstFault, single } from '../oidc/parameters.ts';
import { encodeRefreshToken } from '../oidc/refresh_token.ts';
import { chooseRecipient, encryptionOf, type JweRecipient } from '../oidc/response_encryption.ts';
import { json } from './answer.ts';
import { readForm } from './body.ts';
import { type Dependencies, findClient, signerOf } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import { issueIdToken } from './id_token.ts';
import { refuse, refuseBody } from './refused.ts';

/** RFC 6749 §3.2. Authenticate, check without the database, spend the assertion, redeem, sign. */
export function tokenEndpoint(deps: Dependencies): Handler {
  return async (exchange) => {
    const body = await readForm(exchange.request);
    if (!body.ok) return refuseBody(deps.log, exchange, body.error);
    const issued = await issue(deps, exchange, body.value);
    if (issued.ok) return json(await tokenResponse(deps, exchange, issued.value));
    return refuse(deps.log, exchange, issued.error.refusal, { clientId: issued.error.clientId });
  };
}

type Redeemed = { readonly issue: Issue; readonly recipient: JweRecipient | null };
type Issued = Redeemed & { readonly client: AuthenticatedClient['client'] };

type Refused = { readonly refusal: Refusal; readonly clientId: string | null };

async function issue(deps: Dependencies, exchange: Exchange, form: Form): Promise<Result<Issued, Refused>> {
  const fault = firstFault(form);
  if (fault !== null) return err({ refusal: fault, clientId: null });
  const authenticated = await authenticate(deps, exchange, form);
  if (!authenticated.ok) return err({ refusal: authenticated.error, clientId: null });
  const { client } = authenticated.value;
  const redeemed = await redeem(deps, exchange, form, authenticated.value);
  return redeemed.ok ? ok({ ...redeemed.value, client }) : err({ refusal: redeemed.error, clientId: client.clientId });
}

async function redeem(
  deps: Dependencies,
  { realm, now, address, agent }: Exchange,
  form: Form,
  { client, proof }: AuthenticatedClient,
): Promise<Result<Redeemed, Refusal>> {
  const checked = checkGrant({ realm, client, form, ring: deps.ring, now, presenter: { address, agent } });
  if (!checked.ok) return checked;
  // OIDC Core §10.2. Before anything is spent, so that the request can be sent again once the client's keys can be had.
  const encrypts = encryptionOf(client, 'id_token') !== null && mayIdentify(form);
  const recipient = encrypts ? await chooseRecipient(deps.clientKeys, client, 'id_token') : nobody;
  if (!recipient.ok) return recipient;
  // RFC 7523 §3: a jti counts once. Spent last, so that a request refused for another reason can be mended and sent again.
  if (proof !== null && !(await deps.spendProof(proof))) return err(refuseClient('RFC 7523 §3'));
  const redeemed = await checked.value(deps.families);
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
      findClient: (clientId) => findClient(deps, realm, clientId, now),
    },
  );
}

/** RFC 6749 §5.1, OIDC Core §3.1.3.3. */
async function tokenResponse(deps: Dependencies, { realm, keys, now }: Exchange, { issue, client, recipient }: Issued) {
  const { grant, scope, familyId, refreshToken, nonce, userClaims } = issue;
  const access = accessTokenClaims({ realm, client, grant, scope, familyId, now });
  const signed = signerOf(keys, client.settings.accessTokenSigningAlgorithm).sign('at+jwt', access);
  const accessToken = typeof signed === 'string' ? signed : await signed;
  const identity = scope.includes('openid')
    ? idTokenClaims({ realm, client, grant, userClaims, nonce, accessToken, code: null, now })
    : null;
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: client.settings.accessTokenLifetimeSeconds,
    scope: scope.join(' '),
    ...(refreshToken === null ? {} : { refresh_token: encodeRefreshToken(deps.ring, realm.id, refreshToken) }),
    ...(identity === null ? {} : { id_token: await issueIdToken(keys, client, identity, recipient) }),
  };
}
