import { describe, expect, test } from 'bun:test';
import { brandId, type RealmId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { createKeyRotation } from '../../src/workers/rotate_keys.ts';

const realm = (slug: string, days: number) => ({
  id: brandId<RealmId>(slug),
  slug,
  signingKeyLifetimeSeconds: days * 86_400,
});
const now = 1_800_000_000_000;
const day = 86_400_000;

/** Keys by realm and algorithm, with the instant when each began to sign. */
function rotationOver(keys: { readonly [realmAndAlgorithm: string]: number }, refused: readonly string[] = []) {
  const rotated: string[] = [];
  const job = createKeyRotation({
    realms: async () => [realm('main', 90), realm('acme', 7)],
    due: async (realmId, before) =>
      Object.entries(keys).flatMap(([key, since]) => {
        const [owner, algorithm = ''] = key.split(' ');
        return owner === realmId && since <= before ? [algorithm] : [];
      }),
    rotate: async (realmId, algorithm) => {
      if (refused.includes(`${realmId} ${algorithm}`)) return false;
      rotated.push(`${realmId} ${algorithm}`);
      return true;
    },
    forgetOld: async () => rotated.push('forget'),
    clock: () => now,
    log: silentLog,
  });
  return { job, rotated };
}

describe('signing keys change on schedule', () => {
  test('a key older than its realm’s lifetime gives way, a younger one stays', async () => {
    const { job, rotated } = rotationOver({
      'main RS256': now - 91 * day,
      'main ES256': now - 89 * day,
      'acme ES256': now - 8 * day,
    });
    await job.run();
    expect(rotated).toEqual(['main RS256', 'acme ES256', 'forget']);
  });

  test('a next key that is not known to everybody yet is left for a later turn, and the others go on', async () => {
    const { job, rotated } = rotationOver({ 'main RS256': 0, 'acme ES256': 0 }, ['main RS256']);
    await job.run();
    expect(rotated).toEqual(['acme ES256', 'forget']);
  });
});
