import { ok } from '../../core/result.ts';
import { administer } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatTable } from '../output.ts';
import { shownInstant } from '../realm/view.ts';

export const adminList = defineCommand({
  name: 'admin list',
  summary: 'List who may do what by the admin API.',
  options: { json: jsonOption },
  examples: ['limen admin list'],
  run: (values, deps) =>
    administer(deps, async ({ permissions, realms, users }) => {
      const all = await realms.list();
      const main = all.find(({ isDefault }) => isDefault);
      const rows = [];
      for (const { holder, realmId, action, grantedAt } of await permissions.list()) {
        const user = 'userId' in holder && main !== undefined ? await users.show(main.id, holder) : null;
        rows.push({
          holder: 'userId' in holder ? `user ${user?.username ?? holder.userId}` : `client ${holder.clientId}`,
          action,
          realm: realmId === null ? 'every realm' : (all.find(({ id }) => id === realmId)?.slug ?? realmId),
          granted_at: shownInstant(grantedAt),
        });
      }
      answer(
        deps.terminal,
        values.json,
        rows,
        rows.length === 0
          ? 'Nobody may do anything by the admin API; see `limen admin grant --help`.'
          : formatTable(
              ['who', 'action', 'realm', 'granted'],
              rows.map((row) => [row.holder, row.action, row.realm, row.granted_at]),
            ),
      );
      return ok(null);
    }),
});
