import { Type } from '@sinclair/typebox';
import { instantOfTimedId } from '../core/ids.ts';
import { toNumericDate } from '../core/time.ts';
import { type AccessTokenClaims, audienceOf, familyOfJti } from '../oidc/access_token.ts';
import type { Client } from '../oidc/client.ts';
import { refuseClient } from '../oidc/client_auth/method.ts';
import {
  type Introspection,
  inactive,
  introspectAccessToken,
  introspectRefreshToken,
  mayIntrospect,
} from '../oidc/introspection.ts';
import { defineParameters, firstFault } from '../oidc/parameters.ts';
import { decodeRefreshToken, type RefreshToken } from '../oidc/refresh_token.ts';
import { subjectOf } from '../oidc/subject.ts';
import { json, jsonError } from './answer.ts';
import { readForm } from './body.ts';
import { type Dependencies, findClient } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import type { VerifyAccessToken } from './own_token.ts';
import { logRefusal } from './refused.ts';
import { authenticate } from './token.ts';

const parameters = defineParameters(
  Type.Object({
    token: Type.String({ maxLength: 16_384 }),
    token_type_hint: Type.Optional(Type.String({ maxLength: 64 })),
  }),
);

/** RFC 7662. Callers are confidential clients; the hint is not needed, since our tokens tell themselves apart. */
export function introspectEndpoint(deps: Dependencies, verify: VerifyAccessToken): Handler {
  return async (exchange) => {
    const body = await readForm(exchange.request);
    if (!body.ok)
      return json({ error: 'invalid_request', error_description: body.error.description }, body.error.status);
    const fault = firstFault(body.value);
    const caller =
      fault === null ? await authenticate(deps, exchange, body.value) : { ok: false as const, error: fault };
    const sent = parameters.read(body.value);
    const refused = refusalOf(caller, sent);
    if (refused !== null || !caller.ok || !sent.ok) {
      const error = refused ?? refuseClient('RFC 7662 §2.1');
      logRefusal(deps.log, exchange, error);
      return jsonError(error, exchange);
    }
    const { client, proof } = caller.value;
    if (proof !== null && !(await deps.spendProof(proof))) return jsonError(refuseClient('RFC 7523 §3'), exchange);
    return json(await introspect(deps, exchange, verify, client, sent.value.token));
  };
}

type Caller = Awaited<ReturnType<typeof authenticate>>;

/** RFC 7662 §2.1: without authentication anybody could scan for tokens. */
function refusalOf(caller: Caller, sent: ReturnType<typeof parameters.read>) {
  if (!caller.ok) return caller.error;
  if (caller.value.client.class === 'public') {
    return refuseClient('RFC 7662 §2.1', 'only a confidential client may introspect');
  }
  return sent.ok ? null : sent.error;
}

async function introspect(
  deps: Dependencies,
  exchange: Exchange,
  verify: VerifyAccessToken,
  caller: Client,
  token: string,
): Promise<Introspection> {
  const refreshToken = decodeRefreshToken(deps.ring, exchange.realm.id, token);
  if (typeof refreshToken !== 'string') return aboutRefreshToken(deps, exchange, caller, refreshToken);
  const claims = await verify(token, exchange.realm, exchange.keys, exchange.now);
  if (claims === null || !mayIntrospect(caller, audienceOf(claims))) return inactive;
  return aboutAccessToken(deps, exchange, claims);
}

async function aboutAccessToken(
  deps: Dependencies,
  { realm, now }: Exchange,
  claims: AccessTokenClaims,
): Promise<Introspection> {
  const client = await findClient(deps, realm, claims.client_id, now);
  if (client === null) return inactive;
  const familyId = familyOfJti(claims.jti);
  // A token without family is judged by signature, time and the state of its client.
  if (familyId === null)
    return claims.iat * 1000 >= client.validFrom - 1000 ? introspectAccessToken(claims, null) : inactive;
  const family = await deps.families.readLive(familyId, realm.id);
  const alive = family !== null && family.clientId === claims.client_id && family.createdAt >= client.validFrom;
  return alive ? introspectAccessToken(claims, family.username) : inactive;
}

/** Only its own client learns of a refresh token; an old generation is inactive and no reuse (it was not redeemed). */
async function aboutRefreshToken(
  deps: Dependencies,
  { realm }: Exchange,
  caller: Client,
  token: RefreshToken,
): Promise<Introspection> {
  const family = await deps.families.readLive(token.familyId, realm.id);
  if (family === null || !family.hasRefreshToken || family.generation !== token.generation) return inactive;
  if (family.clientId !== caller.clientId || family.createdAt < caller.validFrom) return inactive;
  return introspectRefreshToken(family, {
    issuer: realm.issuer,
    subject: family.userId === null ? null : subjectOf(family.userId),
    expiresAt: toNumericDate(instantOfTimedId(token.familyId)),
  });
}
