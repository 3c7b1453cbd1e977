import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';

/** Why the provider gave no answer we can use, in its own words where it had some. */
export type ProviderFault =
  /** An error on the redirect back (RFC 6749 §4.1.2.1, RFC 9207), verified to answer our request. */
  | {
      readonly kind: 'authorization_refused';
      readonly error: string;
      readonly description: string | null;
      readonly iss: string | null;
    }
  /** An error document or a challenge (RFC 6749 §5.2, RFC 6750 §3). */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly error: string;
      readonly description: string | null;
    }
  /** An answer that a careful client must not accept: signature, issuer, state, nonce, audience, time. */
  | { readonly kind: 'unacceptable'; readonly code: string; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly issuer: string; readonly reason: string };

/** Sorts what `openid-client` throws; anything else is a bug of ours and is thrown on. */
export function providerFault(thrown: unknown, issuer: string): ProviderFault {
  if (thrown instanceof AuthorizationResponseError) {
    return {
      kind: 'authorization_refused',
      error: thrown.error,
      description: thrown.error_description ?? null,
      iss: thrown.cause.get('iss'),
    };
  }
  if (thrown instanceof ResponseBodyError) {
    const { status, error, error_description } = thrown;
    return { kind: 'refused', status, error, description: error_description ?? null };
  }
  if (thrown instanceof WWWAuthenticateChallengeError) return fromChallenge(thrown);
  const lost = connectionFault(thrown instanceof ClientError ? thrown.cause : thrown);
  if (lost !== undefined) return { kind: 'unreachable', issuer, reason: lost };
  if (thrown instanceof ClientError) {
    if (thrown.code === 'OAUTH_TIMEOUT') return { kind: 'unreachable', issuer, reason: 'no answer in time' };
    return { kind: 'unacceptable', code: thrown.code ?? 'unknown', reason: reasonOf(thrown) };
  }
  throw thrown;
}

/** The system's code for a connection that failed; `ERR_INVALID_ARG…` and `OAUTH_…` are openid-client's own. */
function connectionFault(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string')) return undefined;
  return /^(ERR_INVALID_ARG|OAUTH_)/.test(thrown.code) ? undefined : thrown.code;
}

function fromChallenge(thrown: WWWAuthenticateChallengeError): ProviderFault {
  const parameters = thrown.cause[0]?.parameters;
  return {
    kind: 'refused',
    status: thrown.status,
    error: parameters?.error ?? 'no error code',
    description: parameters?.error_description ?? null,
  };
}

/** `openid-client` says the kind of fault; its cause says what exactly. */
function reasonOf(thrown: Error): string {
  const { cause } = thrown;
  return cause instanceof Error && cause.message !== thrown.message
    ? `${thrown.message}: ${cause.message}`
    : thrown.message;
}
