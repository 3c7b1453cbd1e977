import type { RealmId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Job } from './job.ts';

export type RotationRealm = { readonly id: RealmId; readonly slug: string; readonly signingKeyLifetimeSeconds: number };

export type KeyRotationPorts = {
  readonly realms: () => Promise<readonly RotationRealm[]>;
  /** Algorithms of the realm whose active key has signed since before `activatedBefore`. */
  readonly due: (realmId: RealmId, activatedBefore: Instant) => Promise<readonly string[]>;
  /** Promotes the next key; false: it was not published long enough, so a later turn does it. */
  readonly rotate: (realmId: RealmId, algorithm: string) => Promise<boolean>;
  /** Deletes keys that nothing living can name any more. */
  readonly forgetOld: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Signing keys change on schedule. Every process may try: rotating publishes a new next key, and a second rotation at once
 * is refused because nobody can know that one yet.
 */
export const createKeyRotation = ({ realms, due, rotate, forgetOld, clock, log }: KeyRotationPorts): Job => ({
  name: 'rotate_keys',
  everyMilliseconds: 60 * 60 * 1000,
  async run() {
    for (const { id, slug, signingKeyLifetimeSeconds } of await realms()) {
      for (const algorithm of await due(id, clock() - signingKeyLifetimeSeconds * 1000)) {
        if (await rotate(id, algorithm)) log.info('key.rotated', { realm: slug, algorithm });
      }
    }
    await forgetOld();
  },
});
