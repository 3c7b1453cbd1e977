import { decodeBase64url } from '../../core/base64url.ts';
import { equalConstantTime, sha256 } from '../../core/crypto.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';

/** RFC 7636, both halves: the challenge at the authorization endpoint and the verifier at the token endpoint. */

export const codeChallengeMethods = ['S256'] as const;

type ChallengeParameters = { readonly code_challenge?: string; readonly code_challenge_method?: string };

/** A policy may require a challenge of every client; public clients are never exempt. */
export const pkceRequired = (client: Pick<Client, 'class' | 'settings'>): boolean =>
  client.class === 'public' || client.settings.pkce === 'required for all';

/** RFC 7636 §4.3, §4.4.1. The value is the challenge, or null where none was sent and none is required. */
export function checkCodeChallenge(
  parameters: ChallengeParameters,
  client: Pick<Client, 'class' | 'settings'>,
): Result<string | null, Refusal> {
  const { code_challenge: challenge, code_challenge_method: method } = parameters;
  if (challenge === undefined) {
    if (method !== undefined)
      return err(refuse('code_challenge_method is sent without code_challenge', 'code_challenge'));
    return pkceRequired(client) ? err(refuse('code_challenge is required', 'code_challenge')) : ok(null);
  }
  if (method !== 'S256') return err(refuse('code_challenge_method must be S256', 'code_challenge_method'));
  if (decodeBase64url(challenge)?.length !== 32) {
    return err(refuse('code_challenge must be the base64url of a SHA-256 hash, 43 characters', 'code_challenge'));
  }
  return ok(challenge);
}

const refuse = (description: string, parameter: string): Refusal =>
  refusal('invalid_request', description, 'RFC 7636 §4.4.1', parameter);

const verifierPattern = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * RFC 7636 §4.6. A verifier is needed exactly where a challenge was given: sending one for a code without a challenge is
 * refused as well, since it betrays a request whose challenge was stripped (RFC 9700 §4.8.2).
 */
export function checkCodeVerifier(challenge: string | null, verifier: string | undefined): Result<null, Refusal> {
  if (challenge === null) {
    return verifier === undefined
      ? ok(null)
      : err(refuseVerifier('code_verifier is sent for a code without a challenge'));
  }
  if (verifier === undefined) return err(refuseVerifier('code_verifier is missing'));
  if (!verifierPattern.test(verifier)) {
    return err(refuseVerifier('code_verifier must be 43 to 128 characters out of A-Z a-z 0-9 - . _ ~'));
  }
  const expected = decodeBase64url(challenge);
  if (expected === undefined || !equalConstantTime(sha256(verifier), expected)) {
    return err(refuseVerifier('code_verifier does not match the code_challenge'));
  }
  return ok(null);
}

const refuseVerifier = (description: string): Refusal =>
  refusal('invalid_grant', description, 'RFC 7636 §4.6', 'code_verifier');
