import type { FamilyId, RealmId } from '../core/ids.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type AccessTokenClaims, audienceOf, familyOfJti, tokenTypeOf } from '../oidc/access_token.ts';
import { bearerChallenge, type PresentedToken, readPresentedToken } from '../oidc/bearer.ts';
import { type Client, countsFrom } from '../oidc/client.ts';
import { dpopChallenge, spentProof, type VerifiedProof } from '../oidc/dpop.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import { type Form, firstFault } from '../oidc/parameters.ts';
import type { LiveFamily } from '../oidc/ports.ts';
import { subjectOf } from '../oidc/subject.ts';
import { userinfoClaims } from '../oidc/userinfo.ts';
import { json } from './answer.ts';
import { type BodyFault, readForm } from './body.ts';
import { type Dependencies, findClient, signerOf } from './dependencies.ts';
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
    return answer(exchange, claims.value, nonceHeader(deps, exchange));
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

/** OIDC Core §5.3.2: JSON, or signed for the client that registered an algorithm for it. */
async function answer(
  { realm, keys }: Exchange,
  { client, claims }: Found,
  headers: { readonly [name: string]: string } | null,
): Promise<Response> {
  const algorithm = client.metadata.userinfo_signed_response_alg;
  if (algorithm === undefined) return json(claims, 200, headers);
  const signed = await signerOf(keys, algorithm).sign('JWT', { ...claims, iss: realm.issuer, aud: client.clientId });
  return new Response(signed, {
    headers: { 'content-type': 'application/jwt', 'cache-control': 'no-store', ...headers },
  });
}

/** One query answers whether family, user and session live, and what is known of the user. */
async function claimsFor(
  deps: Dependencies,
  exchange: Exchange,
  presented: PresentedToken,
  token: AccessTokenClaims | null,
): Promise<Result<Found, Refusal>> {
  const { realm, now } = exchange;
  const familyId = token === null ? null : familyOfJti(token.jti);
  if (token === null || !audienceOf(token).includes(realm.issuer)) return err(invalidToken);
  const proof = await checkSender(deps, exchange, presented, token);
  if (!proof.ok) return proof;
  const scope = token.scope.split(' ');
  if (familyId === null || !scope.includes('openid')) return err(needsOpenid);
  const client = await findClient(deps, realm, token.client_id, now);
  const family = client === null ? null : await readLive(deps, familyId, realm.id, proof.value);
  if (family !== null && 'kind' in family) return err(spentProof);
  if (client === null || !belongsTo(family, token, countsFrom(client, realm))) return err(invalidToken);
  const subject = subjectOf(realm, client, family.userId);
  return ok({ client, claims: userinfoClaims(subject, scope, family.claims.userinfo, family.userClaims) });
}

const readLive = ({ families }: Dependencies, familyId: FamilyId, realmId: RealmId, proof: VerifiedProof | null) =>
  proof === null ? families.readLive(familyId, realmId) : families.readLiveSpending(familyId, realmId, proof.spend);

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

function belongsTo(
  family: LiveFamily | null,
  token: AccessTokenClaims,
  validFrom: number,
): family is LiveFamily & { readonly userId: NonNullable<LiveFamily['userId']> } {
  return (
    family !== null && family.userId !== null && family.clientId === token.client_id && family.createdAt >= validFrom
  );
}

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
