import { type Instant, toNumericDate } from '../core/time.ts';
import type { AccessTokenClaims } from './access_token.ts';
import { type Refusal, refusal } from './errors.ts';

/** What a resource demands of the sign-in behind an access token (RFC 9470 §3). */
export type AuthenticationDemand = {
  /** Any of them will do; none: any class. */
  readonly acrValues: readonly string[];
  /** null: however long ago. */
  readonly maxAgeSeconds: number | null;
};

/** The challenge tells the client what to ask for. */
export type InsufficientAuthentication = Refusal & { readonly demand: AuthenticationDemand };

/**
 * RFC 9470 §3. A resource that is not content with how, or how long ago, the person signed in says so and what would do;
 * null: it is content. Nothing known of the sign-in is not enough.
 */
export function insufficientAuthentication(
  { acr, auth_time }: Pick<AccessTokenClaims, 'acr' | 'auth_time'>,
  demand: AuthenticationDemand,
  now: Instant,
): InsufficientAuthentication | null {
  const { acrValues, maxAgeSeconds } = demand;
  if (acrValues.length > 0 && !acrValues.some((value) => value === acr)) {
    return { ...refuse('a different authentication level is required'), demand };
  }
  const isOld = maxAgeSeconds !== null && (auth_time === undefined || toNumericDate(now) - auth_time > maxAgeSeconds);
  return isOld ? { ...refuse('more recent authentication is required'), demand } : null;
}

const refuse = (description: string): Refusal =>
  refusal('insufficient_user_authentication', description, 'RFC 9470 §3');

/** The members of the challenge beside `error` and `error_description`. */
export const challengeMembers = ({ acrValues, maxAgeSeconds }: AuthenticationDemand): readonly string[] => [
  ...(acrValues.length === 0 ? [] : [`acr_values="${acrValues.join(' ')}"`]),
  ...(maxAgeSeconds === null ? [] : [`max_age="${maxAgeSeconds}"`]),
];
