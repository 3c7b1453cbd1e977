import { Type } from '@sinclair/typebox';
import { instantOfTimedId } from '../core/ids.ts';
import { toNumericDate } from '../core/time.ts';
import { type AccessTokenClaims, audienceOf } from '../oidc/access_token.ts';
import { type Client, countsFrom } from '../oidc/client.ts';
import { refuseClient } from '../oidc/client_auth/method.ts';
import {
  type Introspection,
  inactive,
  introspectAccessToken,
  introspectRefreshToken,
  mayIntrospect,
} from '../oidc/introspection.ts';
import { liveToken } from '../oidc/live_token.ts';
import { defineParameters, firstFault } from '../oidc/parameters.ts';
import { decodeRefreshToken, type RefreshToken } from '../oidc/refresh_token.ts';
import { subjectOf, subjectTypeOf } from '../oidc/subject.ts';
import { readForm } from './body.ts';
import { type Dependencies, livenessPorts } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import { introspectionAnswer } from './introspection_answer.ts';
import type { VerifyAccessToken } from './own_token.ts';
import { refuse, refuseBody } from './refused.ts';
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
    if (!body.ok) return refuseBody(deps.log, exchange, body.error);
    const fault = firstFault(body.value);
    if (fault !== null) return refuse(deps.log, exchange, fault);
    const caller = await authenticate(deps, exchange, body.value);
    if (!caller.ok) return refuse(deps.log, exchange, caller.error);
    const { client, proof } = caller.value;
    const { clientId } = client;
    if (client.class === 'public') return refuse(deps.log, exchange, publicCaller, { clientId });
    const sent = parameters.read(body.value);
    if (!sent.ok) return refuse(deps.log, exchange, sent.error, { clientId });
    const answer = await introspectionAnswer(deps, exchange, client);
    if (!answer.ok) return refuse(deps.log, exchange, answer.error.refusal, { ...answer.error, clientId });
    if (proof !== null && !(await deps.spendProof(proof))) {
      return refuse(deps.log, exchange, refuseClient('RFC 7523 §3'), { clientId });
    }
    return answer.value(await introspect(deps, exchange, verify, client, sent.value.token));
  };
}

/** Without authentication anybody could scan for tokens. */
const publicCaller = refuseClient('RFC 7662 §2.1', 'only a confidential client may introspect');

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
  const live = await liveToken(claims, realm, livenessPorts(deps, realm, now));
  return live === null
    ? inactive
    : introspectAccessToken(claims, usernameFor(live.client, live.family?.username ?? null));
}

/** A name that every client sees would join what pairwise subjects keep apart (OIDC Core §8.1). */
const usernameFor = (client: Client, username: string | null): string | null =>
  subjectTypeOf(client) === 'pairwise' ? null : username;

/** Only its own client learns of a refresh token; an old generation is inactive and no reuse (it was not redeemed). */
async function aboutRefreshToken(
  deps: Dependencies,
  { realm }: Exchange,
  caller: Client,
  token: RefreshToken,
): Promise<Introspection> {
  const family = await deps.families.readLive(token.familyId, realm.id);
  if (family === null || !family.hasRefreshToken || family.generation !== token.generation) return inactive;
  if (family.clientId !== caller.clientId || family.createdAt < countsFrom(caller, realm)) return inactive;
  return introspectRefreshToken(
    { ...family, username: usernameFor(caller, family.username) },
    {
      issuer: realm.issuer,
      subject: family.userId === null ? null : subjectOf(realm, caller, family.userId),
      expiresAt: toNumericDate(instantOfTimedId(token.familyId)),
    },
  );
}
