import { ok } from '../../core/result.ts';
import { administer } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatTable } from '../output.ts';
import { issuerOf, realmDocument } from './view.ts';

export const realmList = defineCommand({
  name: 'realm list',
  summary: 'List the realms.',
  options: { json: jsonOption },
  examples: ['limen realm list --json'],
  run: (values, deps) =>
    administer(deps, async ({ realms }, { publicUrl }) => {
      const all = await realms.list();
      const rows = all.map((realm) => [
        realm.slug,
        realm.name,
        realm.isDefault,
        realm.enabled,
        issuerOf(realm, publicUrl),
      ]);
      answer(
        deps.terminal,
        values.json,
        all.map((realm) => realmDocument(realm, publicUrl)),
        all.length === 0
          ? 'There is no realm yet; `limen realm create <slug>` makes one.'
          : formatTable(['slug', 'name', 'default', 'enabled', 'issuer'], rows),
      );
      return ok(null);
    }),
});
