import { ok } from '../../core/result.ts';
import type { SigningKeyRecord } from '../../store/signing_keys.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatTable } from '../output.ts';
import { shownInstant } from '../realm/view.ts';

export const keysList = defineCommand({
  name: 'keys list',
  summary: 'List the signing keys of a realm.',
  options: { realm: realmOption, json: jsonOption },
  examples: ['limen keys list'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const keys = await administration.keys.list(realm.value.id);
      const rows = keys.map((key) => [key.kid, key.algorithm, key.state, shownInstant(key.publishedAt)]);
      answer(
        deps.terminal,
        values.json,
        keys.map(keyDocument),
        formatTable(['kid', 'algorithm', 'state', 'published'], rows),
      );
      return ok(null);
    }),
});

const orNull = (instant: number | null): string | null => (instant === null ? null : shownInstant(instant));

const keyDocument = (key: SigningKeyRecord) => ({
  kid: key.kid,
  algorithm: key.algorithm,
  state: key.state,
  published_at: shownInstant(key.publishedAt),
  activated_at: orNull(key.activatedAt),
  retired_at: orNull(key.retiredAt),
});
