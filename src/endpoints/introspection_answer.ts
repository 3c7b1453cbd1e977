import { err, ok, type Result } from '../core/result.ts';
import type { Client } from '../oidc/client.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import {
  type Introspection,
  introspectionAlgorithmOf,
  introspectionJwtClaims,
  introspectionJwtType,
} from '../oidc/introspection.ts';
import { chooseRecipient, encryptionOf } from '../oidc/response_encryption.ts';
import { prefers } from './accept.ts';
import { json } from './answer.ts';
import { type Dependencies, signerOf } from './dependencies.ts';
import type { Exchange } from './exchange.ts';

const mediaType = `application/${introspectionJwtType}`;

export type IntrospectionAnswer = (introspection: Introspection) => Response | Promise<Response>;

type Refused = { readonly refusal: Refusal; readonly status?: number };

/**
 * How the caller is answered: in JSON, or in a JWT where it asks for one (RFC 9701 §4, §5). Settled before anything is
 * consumed, since who registered encryption is answered in no other way, and must have a key.
 */
export async function introspectionAnswer(
  deps: Dependencies,
  { request, realm, keys, now }: Exchange,
  caller: Client,
): Promise<Result<IntrospectionAnswer, Refused>> {
  if (!prefers(request.headers.get('accept'), mediaType, 'application/json')) {
    return encryptionOf(caller, 'introspection') === null ? ok(json) : err(mustAskForJwt);
  }
  const recipient = await chooseRecipient(deps.clientKeys, caller, 'introspection');
  if (!recipient.ok) return err({ refusal: recipient.error });
  const signer = signerOf(keys, introspectionAlgorithmOf(caller));
  return ok(async (introspection) => {
    const claims = introspectionJwtClaims(realm.issuer, caller.clientId, introspection, now);
    const signed = await signer.sign(introspectionJwtType, claims);
    const token = recipient.value === null ? signed : await recipient.value.encrypt(signed, 'JWT');
    return new Response(token, { headers: { 'content-type': mediaType, 'cache-control': 'no-store' } });
  });
}

/** RFC 9110 §15.5.7. */
const mustAskForJwt: Refused = {
  status: 406,
  refusal: refusal(
    'invalid_request',
    `this client registered encrypted answers, so its requests must accept ${mediaType}`,
    'RFC 9701 §6',
  ),
};
