import { namesIn } from '../core/name_list.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import { type AccessTokenClaims, audienceOf, familyOfJti } from '../oidc/access_token.ts';
import { bearerChallenge, readBearerToken } from '../oidc/bearer.ts';
import type { Client } from '../oidc/client.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import { liveToken } from '../oidc/live_token.ts';
import { type Form, firstFault } from '../oidc/parameters.ts';
import { chooseRecipient, encryptionOf } from '../oidc/response_encryption.ts';
import {
  type AuthenticationDemand,
  type InsufficientAuthentication,
  insufficientAuthentication,
} from '../oidc/step_up.ts';
import { subjectOf } from '../oidc/subject.ts';
import { userinfoClaims } from '../oidc/userinfo.ts';
import { json } from './answer.ts';
import { type BodyFault, readForm } from './body.ts';
import { type Dependencies, livenessPorts, signerOf } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import type { VerifyAccessToken } from './own_token.ts';
import { logRefusal, refuse, refuseBody } from './refused.ts';

/** OIDC Core §5.3, RFC 6750: GET and POST, the token in the header or in the body of a POST. */
export function userinfoEndpoint(deps: Dependencies, verify: VerifyAccessToken): Handler {
  return async (exchange) => {
    const form = await bodyOf(exchange.request);
    if (!form.ok) return refuseBody(deps.log, exchange, form.error);
    const fault = form.value === null ? null : firstFault(form.value);
    if (fault !== null) return challenge(deps, exchange, fault);
    const token = readBearerToken(exchange.request.headers.get('authorization'), form.value);
    if (!token.ok) return challenge(deps, exchange, token.error);
    if (token.value === null) return askForToken(deps, exchange);
    const claims = await claimsFor(
      deps,
      exchange,
      await verify(token.value, exchange.realm, exchange.keys, exchange.now),
    );
    return claims.ok ? answer(deps, exchange, claims.value) : challenge(deps, exchange, claims.error);
  };
}

/** A POST without a form body is one whose token is in the header. */
async function bodyOf(request: Request): Promise<Result<Form | null, BodyFault>> {
  const hasForm = request.method === 'POST' && request.headers.has('content-type');
  return hasForm ? readForm(request) : ok(null);
}

const invalidToken = refusal('invalid_token', 'the access token is invalid, expired or revoked', 'RFC 6750 §3.1');
const needsOpenid = refusal(
  'insufficient_scope',
  'the access token was not granted the scope openid',
  'OIDC Core §5.3.1',
);

type Found = { readonly client: Client; readonly claims: { readonly [claim: string]: unknown } };

/** OIDC Core §5.3.2: JSON; or signed, encrypted, or both in this order, for the client that registered an algorithm for it. */
async function answer(deps: Dependencies, exchange: Exchange, { client, claims }: Found): Promise<Response> {
  const { realm, keys } = exchange;
  const algorithm = client.metadata.userinfo_signed_response_alg;
  const isEncrypted = encryptionOf(client, 'userinfo') !== null;
  if (algorithm === undefined && !isEncrypted) return json(claims);
  const addressed = { ...claims, iss: realm.issuer, aud: client.clientId };
  const signed = algorithm === undefined ? null : await signerOf(keys, algorithm).sign('JWT', addressed);
  if (signed !== null && !isEncrypted) return jwt(signed);
  const recipient = await chooseRecipient(deps.clientKeys, client, 'userinfo');
  if (!recipient.ok) return refuse(deps.log, exchange, recipient.error, { clientId: client.clientId });
  const { encrypt } = recipient.value ?? unreachable('the client registered encryption');
  return jwt(signed === null ? await encrypt(JSON.stringify(addressed)) : await encrypt(signed, 'JWT'));
}

const jwt = (token: string): Response =>
  new Response(token, { headers: { 'content-type': 'application/jwt', 'cache-control': 'no-store' } });

/** One query answers whether family, user and session live, and what is known of the user. */
async function claimsFor(
  deps: Dependencies,
  { realm, now }: Exchange,
  token: AccessTokenClaims | null,
): Promise<Result<Found, Refusal | InsufficientAuthentication>> {
  if (token === null || !audienceOf(token).includes(realm.issuer)) return err(invalidToken);
  const scope = token.scope.split(' ');
  if (familyOfJti(token.jti) === null || !scope.includes('openid')) return err(needsOpenid);
  const live = await liveToken(token, realm, livenessPorts(deps, realm, now));
  if (live === null || live.family === null || live.family.userId === null) return err(invalidToken);
  const { client, family } = live;
  const insufficient = insufficientAuthentication(token, demandOf(client), now);
  if (insufficient !== null) return err(insufficient);
  // What was asked for by name, and consented to, was for the client that the family is of.
  const asked = family.clientId === client.clientId ? family.claims.userinfo : [];
  const subject = subjectOf(realm, client, live.family.userId);
  return ok({ client, claims: userinfoClaims(subject, scope, asked, family.userClaims) });
}

/** Userinfo is a resource like any other, and may ask for a better sign-in than the one behind the token (RFC 9470). */
const demandOf = ({ settings }: Client): AuthenticationDemand => ({
  acrValues: namesIn(settings.userinfoAcrValues),
  maxAgeSeconds: settings.userinfoMaxAgeSeconds === 0 ? null : settings.userinfoMaxAgeSeconds,
});

const challenge = ({ log }: Dependencies, exchange: Exchange, refused: Refusal): Response =>
  refuse(log, exchange, refused, { headers: { 'www-authenticate': bearerChallenge(exchange.realm.issuer, refused) } });

const noToken = refusal('invalid_token', 'no access token was sent', 'RFC 6750 §3.1');

/** RFC 6750 §3.1: who sent no token is told no error; the id alone says nothing. */
function askForToken({ log }: Dependencies, exchange: Exchange): Response {
  logRefusal(log, exchange, noToken);
  const headers = { 'www-authenticate': bearerChallenge(exchange.realm.issuer, null) };
  return json({ error_id: exchange.errorId }, 401, headers);
}
