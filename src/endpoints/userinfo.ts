import { namesIn } from '../core/name_list.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import { type AccessTokenClaims, audienceOf, familyOfJti, tokenTypeOf } from '../oidc/access_token.ts';
import { bearerChallenge, type PresentedToken, readPresentedToken } from '../oidc/bearer.ts';
import type { Client } from '../oidc/client.ts';
import { dpopChallenge, spentProof, type VerifiedProof } from '../oidc/dpop.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import { type LiveToken, liveToken } from '../oidc/live_token.ts';
import { type Form, firstFault } from '../oidc/parameters.ts';
import type { Families } from '../oidc/ports.ts';
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
import { nonceHeader, proofOfPresentation } from './dpop.ts';
import type { Exchange, Handler } from './exchange.ts';
import type { VerifyAccessToken } from './own_token.ts';
import { logRefusal, refuse, refuseBody } from './refused.ts';

/** OIDC Core §5.3, RFC 6750, RFC 9449 §7: GET and POST, the token in the header or in the body of a POST. */
export function userinfoEndpoint(deps: Dependencies, verify: VerifyAccessToken): Handler {
  return async (exchange) => {
    const form = await bodyOf(exchange.request);
    if (!form.ok) return refuseBody(deps.log, exchange, form.error);
    const fault = form.value === null ? null : firstFault(form.value);
    if (fault !== null) return challenge(deps, exchange, null, fault);
    const presented = readPresentedToken(exchange.request.headers.get('authorization'), form.value);
    if (!presented.ok) return challenge(deps, exchange, null, presented.error);
    if (presented.value === null) return askForToken(deps, exchange);
    const token = await verify(presented.value.token, exchange.realm, exchange.keys, exchange.now);
    const claims = await claimsFor(deps, exchange, presented.value, token);
    if (!claims.ok) return challenge(deps, exchange, presented.value, claims.error);
    return answer(deps, exchange, claims.value);
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
  const headers = nonceHeader(deps, exchange);
  const isEncrypted = encryptionOf(client, 'userinfo') !== null;
  if (algorithm === undefined && !isEncrypted) return json(claims, 200, headers);
  const addressed = { ...claims, iss: realm.issuer, aud: client.clientId };
  const signed = algorithm === undefined ? null : await signerOf(keys, algorithm).sign('JWT', addressed);
  if (signed !== null && !isEncrypted) return jwt(signed, headers);
  const recipient = await chooseRecipient(deps.clientKeys, client, 'userinfo');
  if (!recipient.ok) return refuse(deps.log, exchange, recipient.error, { clientId: client.clientId });
  const { encrypt } = recipient.value ?? unreachable('the client registered encryption');
  return jwt(signed === null ? await encrypt(JSON.stringify(addressed)) : await encrypt(signed, 'JWT'), headers);
}

const jwt = (token: string, headers: { readonly [name: string]: string } | null): Response =>
  new Response(token, { headers: { 'content-type': 'application/jwt', 'cache-control': 'no-store', ...headers } });

/** One query answers whether family, user and session live, and what is known of the user. */
async function claimsFor(
  deps: Dependencies,
  exchange: Exchange,
  presented: PresentedToken,
  token: AccessTokenClaims | null,
): Promise<Result<Found, Refusal | InsufficientAuthentication>> {
  const { realm, now } = exchange;
  if (token === null || !audienceOf(token).includes(realm.issuer)) return err(invalidToken);
  const proof = await checkSender(deps, exchange, presented, token);
  if (!proof.ok) return proof;
  const scope = token.scope.split(' ');
  if (familyOfJti(token.jti) === null || !scope.includes('openid')) return err(needsOpenid);
  const live = await liveTokenOf(deps, exchange, token, proof.value);
  if (live === 'proof_spent') return err(spentProof);
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

/** The proof is spent by the query that reads the family. */
async function liveTokenOf(
  deps: Dependencies,
  { realm, now }: Exchange,
  token: AccessTokenClaims,
  proof: VerifiedProof | null,
): Promise<LiveToken | 'proof_spent' | null> {
  const ports = livenessPorts(deps, realm, now);
  if (proof === null) return liveToken(token, realm, ports);
  let isSpent = false;
  const readLive: Families['readLive'] = async (familyId, realmId) => {
    const family = await deps.families.readLiveSpending(familyId, realmId, proof.spend);
    isSpent = family !== null && 'kind' in family;
    return family !== null && 'kind' in family ? null : family;
  };
  const live = await liveToken(token, realm, { ...ports, families: { readLive } });
  return isSpent ? 'proof_spent' : live;
}

/** RFC 9449 §7.1, §7.2: a bound token is nothing without a proof by its key, and an unbound one is no DPoP token. */
async function checkSender(
  deps: Dependencies,
  exchange: Exchange,
  { scheme, token }: PresentedToken,
  { cnf }: AccessTokenClaims,
): Promise<Result<VerifiedProof | null, Refusal>> {
  if (scheme !== tokenTypeOf(cnf?.jkt)) return err(wrongScheme);
  if (scheme === 'Bearer') return ok(null);
  const proof = await proofOfPresentation(deps, exchange, token);
  return proof.ok && proof.value.thumbprint !== cnf?.jkt ? err(otherKey) : proof;
}

const wrongScheme = refusal(
  'invalid_token',
  'the access token is of another scheme: see its token_type',
  'RFC 9449 §7',
);
const otherKey = refusal('invalid_token', 'the access token is bound to another key', 'RFC 9449 §7.1');

/** RFC 9449 §7.2: the scheme that was used is told what was wrong, and who used the wrong one, or none, of both. */
function challengeHeaders(deps: Dependencies, exchange: Exchange, scheme: string | null, refused: Refusal | null) {
  const { issuer, settings } = exchange.realm;
  const offersDpop = refused === wrongScheme || (refused === null && settings.dpop !== 'off');
  const bearer = offersDpop
    ? `${bearerChallenge(issuer, refused)}, ${dpopChallenge(null)}`
    : bearerChallenge(issuer, refused);
  const challenge = scheme === 'DPoP' ? dpopChallenge(refused) : bearer;
  return { 'www-authenticate': challenge, ...nonceHeader(deps, exchange) };
}

function challenge(
  deps: Dependencies,
  exchange: Exchange,
  presented: PresentedToken | null,
  refused: Refusal,
): Response {
  const headers = challengeHeaders(deps, exchange, presented?.scheme ?? null, refused);
  const ofProof = refused.error === 'invalid_dpop_proof' || refused.error === 'use_dpop_nonce';
  return refuse(deps.log, exchange, refused, ofProof ? { status: 401, headers } : { headers });
}

const noToken = refusal('invalid_token', 'no access token was sent', 'RFC 6750 §3.1');

/** RFC 6750 §3.1: who sent no token is told no error; the id alone says nothing. */
function askForToken(deps: Dependencies, exchange: Exchange): Response {
  logRefusal(deps.log, exchange, noToken);
  return json({ error_id: exchange.errorId }, 401, challengeHeaders(deps, exchange, null, null));
}
