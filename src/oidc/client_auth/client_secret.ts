import { equalConstantTime, sha256 } from '../../core/crypto.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';
import type { Client } from '../client.ts';
import type { Refusal } from '../errors.ts';
import { type Claim, type ClientAuthMethod, refuseClient, type VerificationFacts, type Verified } from './method.ts';

/** RFC 6749 §2.3.1, both ways: in the Authorization header and in the body. */

export const clientSecretBasic: ClientAuthMethod<Secret> = {
  name: 'client_secret_basic',
  forClass: 'confidential',
  read: ({ authorization }) => (authorization === null ? 'absent' : readBasic(authorization)),
  verify: verifySecret,
};

export const clientSecretPost: ClientAuthMethod<Secret> = {
  name: 'client_secret_post',
  forClass: 'confidential',
  read({ client_id, client_secret }) {
    if (client_secret === undefined) return 'absent';
    if (client_id === undefined) return err(refuseClient('RFC 6749 §2.3.1', 'client_secret is sent without client_id'));
    return ok({ clientId: client_id, credentials: new Secret(client_secret) });
  },
  verify: verifySecret,
};

/** Every hash is compared, so that time tells neither which of two secrets nor whether one matched. */
function verifySecret(client: Client, secret: Secret, { now }: VerificationFacts): Result<Verified, Refusal> {
  const presented = sha256(secret.reveal());
  let matched = false;
  for (const { hash, expiresAt } of client.secrets) {
    const equal = equalConstantTime(presented, hash);
    matched ||= equal && (expiresAt === null || expiresAt > now);
  }
  return matched ? ok({ proof: null }) : err(refuseClient('RFC 6749 §2.3.1'));
}

function readBasic(authorization: string): Result<Claim<Secret>, Refusal> {
  const match = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization);
  const pair = match?.[1] === undefined ? null : decodePair(match[1]);
  return pair === null
    ? err(refuseClient('RFC 6749 §2.3.1', 'the Authorization header is not valid Basic credentials'))
    : ok(pair);
}

/** RFC 6749 §2.3.1: id and secret are form-urlencoded before RFC 7617's base64. */
function decodePair(base64: string): Claim<Secret> | null {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return null;
  const clientId = decodeFormText(text.slice(0, colon));
  const secret = decodeFormText(text.slice(colon + 1));
  return clientId === null || secret === null || clientId === '' ? null : { clientId, credentials: new Secret(secret) };
}

function decodeFormText(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
