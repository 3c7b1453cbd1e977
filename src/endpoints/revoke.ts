import { Type } from '@sinclair/typebox';
import { familyOfJti } from '../oidc/access_token.ts';
import { refuseClient } from '../oidc/client_auth/method.ts';
import { refusal } from '../oidc/errors.ts';
import { defineParameters, firstFault } from '../oidc/parameters.ts';
import { decodeRefreshToken } from '../oidc/refresh_token.ts';
import { readForm } from './body.ts';
import type { Dependencies } from './dependencies.ts';
import type { Handler } from './exchange.ts';
import type { VerifyAccessToken } from './own_token.ts';
import { refuse, refuseBody } from './refused.ts';
import { authenticate } from './token.ts';

const parameters = defineParameters(
  Type.Object({
    token: Type.String({ maxLength: 16_384 }),
    token_type_hint: Type.Optional(Type.String({ maxLength: 64 })),
  }),
);

const notRevocable = (description: string) => refusal('unsupported_token_type', description, 'RFC 7009 §2.2.1');
const ofItsOwn = notRevocable(
  'a token of the client_credentials grant belongs to no grant that could be revoked; it ends by itself',
);
const exchanged = notRevocable('an exchanged token ends with the grant of the token that it was exchanged for');

/**
 * RFC 7009. A refresh token of any generation, or an access token, ends its family; what is unknown or another client's
 * answers 200 as well (§2.2), so that nobody learns what exists.
 */
export function revokeEndpoint(deps: Dependencies, verify: VerifyAccessToken): Handler {
  return async (exchange) => {
    const { realm, keys, now } = exchange;
    const body = await readForm(exchange.request);
    if (!body.ok) return refuseBody(deps.log, exchange, body.error);
    const fault = firstFault(body.value);
    if (fault !== null) return refuse(deps.log, exchange, fault);
    const caller = await authenticate(deps, exchange, body.value);
    if (!caller.ok) return refuse(deps.log, exchange, caller.error);
    const { client, proof } = caller.value;
    const { clientId } = client;
    const sent = parameters.read(body.value);
    if (!sent.ok) return refuse(deps.log, exchange, sent.error, { clientId });
    if (proof !== null && !(await deps.spendProof(proof))) {
      return refuse(deps.log, exchange, refuseClient('RFC 7523 §3'), { clientId });
    }
    const refreshToken = decodeRefreshToken(deps.ring, realm.id, sent.value.token);
    const claims = typeof refreshToken === 'string' ? await verify(sent.value.token, realm, keys, now) : null;
    const own = claims?.client_id === clientId ? claims : null;
    const familyId = typeof refreshToken === 'string' ? own && familyOfJti(own.jti) : refreshToken.familyId;
    if (own !== null && familyId === null) return refuse(deps.log, exchange, ofItsOwn, { clientId });
    const isEnded =
      familyId !== null && (await deps.families.revoke(familyId, realm.id, clientId, 'revoked by client'));
    // An access token always has its family, but an exchanged one (RFC 8693) has another client's, which it cannot end.
    if (own !== null && !isEnded) return refuse(deps.log, exchange, exchanged, { clientId });
    return new Response(null, { status: 200, headers: { 'cache-control': 'no-store' } });
  };
}
