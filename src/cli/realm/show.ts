import { ok } from '../../core/result.ts';
import { administer, findRealm } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatRecord, formatTable } from '../output.ts';
import { effectiveDocument, effectiveRows, issuerOf, realmDocument, shownInstant } from './view.ts';

export const realmShow = defineCommand({
  name: 'realm show',
  summary: 'Show a realm, and each of its settings with the layer it comes from.',
  options: { slug: { type: 'argument', sentence: 'The realm.' }, json: jsonOption },
  examples: ['limen realm show acme'],
  run: (values, deps) =>
    administer(deps, async (administration, config) => {
      const found = await findRealm(administration, values.slug);
      if (!found.ok) return found;
      const realm = found.value;
      const layers = { system: config.settings, realm: realm.overrides };
      const now = deps.now();
      answer(
        deps.terminal,
        values.json,
        { ...realmDocument(realm, config.publicUrl), effective_settings: effectiveDocument(layers, now) },
        [
          formatRecord([
            ['slug', realm.slug],
            ['name', realm.name],
            ['id', realm.id],
            ['default', realm.isDefault],
            ['enabled', realm.enabled],
            ['issuer', issuerOf(realm, config.publicUrl)],
            ['created', shownInstant(realm.createdAt)],
          ]),
          '',
          formatTable(['setting', 'value', 'from', 'reason'], effectiveRows(layers, now)),
        ].join('\n'),
      );
      return ok(null);
    }),
});
