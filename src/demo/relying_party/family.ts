import { sha256 } from '../../core/crypto.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';

/** One refresh token the provider gave us. `number` counts from 1; the fingerprint is what may be shown of the token. */
export type Generation = {
  readonly number: number;
  readonly refreshToken: Secret;
  readonly fingerprint: string;
};

/** Every refresh token of one sign-in, oldest first; the last one is current. Empty: the client gets none. */
export type Family = {
  readonly generations: readonly Generation[];
  readonly alive: boolean;
};

/** `same` is what a provider without rotation, or one asked again for an heir it already gave, answers. */
export type Adoption = { readonly family: Family; readonly outcome: 'rotated' | 'same' };

/** The immediate parent, which a retry would present, or the oldest, which only a stale copy or a thief would. */
export type Replayed = 'parent' | 'oldest';

/** A parent may be answered with its heir by design, so only what is at least this much older counts as reuse. */
const reuseDistance = 2;

/** The oldest generation stays for ever (it is what `replay-old` presents), of the others the newest. */
const keptGenerations = 24;

export const bornFamily = (refreshToken: string | null): Family =>
  adopt({ generations: [], alive: true }, refreshToken).family;

export const currentOf = (family: Family): Generation | undefined => family.generations.at(-1);

/** Takes in what a token response carried. Without a new refresh token the presented one stays valid (RFC 6749 §6). */
export function adopt(family: Family, refreshToken: string | null): Adoption {
  const current = currentOf(family);
  if (refreshToken === null || current?.refreshToken.reveal() === refreshToken) return { family, outcome: 'same' };
  const heir: Generation = {
    number: (current?.number ?? 0) + 1,
    refreshToken: new Secret(refreshToken),
    fingerprint: sha256(refreshToken).toString('hex', 0, 4),
  };
  const [oldest, ...younger] = [...family.generations, heir];
  const generations = oldest === undefined ? [] : [oldest, ...younger.slice(1 - keptGenerations)];
  return { family: { ...family, generations }, outcome: 'rotated' };
}

/** The generation to present again, or how many refreshes are missing until there is one. */
export function replayable(family: Family, which: Replayed): Result<Generation, number> {
  const current = currentOf(family)?.number ?? 0;
  const distance = which === 'parent' ? 1 : reuseDistance;
  const found = family.generations.find(({ number }) =>
    which === 'parent' ? number === current - 1 : number <= current - distance,
  );
  return found === undefined ? err(distance + 1 - current) : ok(found);
}
