import { err, ok } from '../../core/result.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatTable } from '../output.ts';
import { effectiveDocument, effectiveRows } from '../realm/view.ts';
import { clientDocument, clientText, explainClientRefusal } from './view.ts';

export const clientShow = defineCommand({
  name: 'client show',
  summary: 'Show a client, and each of its settings with the layer it comes from.',
  options: { client_id: { type: 'argument', sentence: 'The client.' }, realm: realmOption, json: jsonOption },
  examples: ['limen client show shop --json'],
  run: (values, deps) =>
    administer(deps, async (administration, config) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const client = await administration.clients.show(realm.value.id, values.client_id);
      if (client === null) return err(explainClientRefusal({ kind: 'unknown_client' }));
      const layers = { system: config.settings, realm: realm.value.overrides, client: client.overrides };
      const now = deps.now();
      answer(
        deps.terminal,
        values.json,
        { ...clientDocument(client), effective_settings: effectiveDocument(layers, now) },
        `${clientText(client)}\n\n${formatTable(['setting', 'value', 'from', 'reason'], effectiveRows(layers, now))}`,
      );
      return ok(null);
    }),
});
