import { err, ok } from '../../core/result.ts';
import { administer } from '../administration.ts';
import { defineCommand } from '../command.ts';
import { permissionOptions, readPermissions } from './permission.ts';

export const adminRevoke = defineCommand({
  name: 'admin revoke',
  summary: 'Take back what `admin grant` gave, at once.',
  options: permissionOptions,
  examples: ['limen admin revoke --client support-desk --action errors.read --realm acme'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const named = await readPermissions(values, administration);
      if (!named.ok) return named;
      const { holder, holderName, realmId, where, actions } = named.value;
      let taken = 0;
      for (const action of actions) {
        if (!(await administration.permissions.revoke(holder, realmId, action))) continue;
        taken += 1;
        deps.terminal.out(`${holderName} may no longer ${action} by a grant for ${where}.`);
      }
      return taken > 0 ? ok(null) : err([`${holderName} has no such grant for ${where}; see \`limen admin list\``]);
    }),
});
