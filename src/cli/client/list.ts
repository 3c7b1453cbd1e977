import { ok } from '../../core/result.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatTable } from '../output.ts';
import { clientDocument } from './view.ts';

export const clientList = defineCommand({
  name: 'client list',
  summary: 'List the clients of a realm.',
  options: { realm: realmOption, json: jsonOption },
  examples: ['limen client list --realm acme'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const all = await administration.clients.list(realm.value.id);
      const rows = all.map((client) => [
        client.clientId,
        client.class,
        client.name,
        client.enabled,
        client.grantTypes.join(' '),
      ]);
      answer(
        deps.terminal,
        values.json,
        all.map(clientDocument),
        all.length === 0
          ? `${realm.value.slug} has no client yet.`
          : formatTable(['client_id', 'class', 'name', 'enabled', 'grants'], rows),
      );
      return ok(null);
    }),
});
