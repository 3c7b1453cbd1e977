import { decodeBase64url } from '../../core/base64url.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { dpopPolicyOf } from '../dpop.ts';
import { type Refusal, refusal } from '../errors.ts';
import { type ResponseType, returns } from './response_type.ts';

/**
 * RFC 9449 §10: the thumbprint of the key that must be proved to redeem the code; null: none is named. Where DPoP is off the
 * parameter is one that this server does not know.
 */
export function checkDpopJkt(
  dpopJkt: string | undefined,
  type: ResponseType,
  client: Pick<Client, 'settings' | 'metadata'>,
): Result<string | null, Refusal> {
  const policy = dpopPolicyOf(client);
  if (policy === 'required' && returns(type, 'token')) return err(unbound);
  if (policy === 'off' || dpopJkt === undefined) return ok(null);
  return decodeBase64url(dpopJkt)?.length === 32 ? ok(dpopJkt) : err(malformed);
}

/** Nobody proves a key at the authorization endpoint, so what it returns is bound to none. */
const unbound = refusal(
  'unauthorized_client',
  'this client gets tokens bound to its key only, and none is proved here',
  'RFC 9449 §5.2',
  'response_type',
);

const malformed = refusal(
  'invalid_request',
  'dpop_jkt must be the base64url of a SHA-256 thumbprint, 43 characters',
  'RFC 9449 §10',
  'dpop_jkt',
);
