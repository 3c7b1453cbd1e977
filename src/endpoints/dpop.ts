import { err, ok, type Result } from '../core/result.ts';
import type { Client } from '../oidc/client.ts';
import { dpopPolicyOf, missingProof, type VerifiedProof, verifyProof } from '../oidc/dpop.ts';
import { isDpopNonce, newDpopNonce } from '../oidc/dpop_nonce.ts';
import type { Refusal } from '../oidc/errors.ts';
import type { Dependencies } from './dependencies.ts';
import type { Exchange } from './exchange.ts';

/** RFC 9449 over HTTP: the proof of a request, and the nonce for the next one. */

type Ring = Pick<Dependencies, 'ring'>;

/** §5: a proof makes the tokens bound, as far as the client's policy has it. null: they will not be. */
export async function proofOfTokenRequest(
  deps: Ring,
  exchange: Exchange,
  client: Client,
): Promise<Result<VerifiedProof | null, Refusal>> {
  const policy = dpopPolicyOf(client);
  const header = exchange.request.headers.get('dpop');
  // A server without DPoP does not know the header; `token_type` tells the client that its token is not bound.
  if (policy === 'off') return ok(null);
  if (header !== null) return verifyProof(header, factsOf(deps, exchange, null));
  return policy === 'required' ? err(missingProof) : ok(null);
}

/** §7: the proof that an access token was shown with. */
export function proofOfPresentation(
  deps: Ring,
  exchange: Exchange,
  accessToken: string,
): Promise<Result<VerifiedProof, Refusal>> {
  return verifyProof(exchange.request.headers.get('dpop') ?? '', factsOf(deps, exchange, accessToken));
}

const factsOf = ({ ring }: Ring, { realm, request, path, now }: Exchange, accessToken: string | null) => ({
  realm,
  method: request.method,
  url: realm.issuer + path,
  now,
  accessToken,
  isNonce: realm.settings.dpopNonce === 'required' ? (nonce: string) => isDpopNonce(ring, realm.id, nonce, now) : null,
});

/** §8.2: with every answer where nonces are demanded, so that a client always has one that is good. */
export const nonceHeader = ({ ring }: Ring, { realm, now }: Exchange): { readonly 'dpop-nonce': string } | null =>
  realm.settings.dpopNonce === 'required' ? { 'dpop-nonce': newDpopNonce(ring, realm.id, now) } : null;
