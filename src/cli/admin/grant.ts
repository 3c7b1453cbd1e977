import { ok } from '../../core/result.ts';
import { administer } from '../administration.ts';
import { defineCommand } from '../command.ts';
import { permissionOptions, readPermissions } from './permission.ts';

export const adminGrant = defineCommand({
  name: 'admin grant',
  summary: 'Let a user or client of the default realm do something by the admin API. In force at once.',
  options: permissionOptions,
  examples: [
    'limen admin grant --user alice --action all --every-realm',
    'limen admin grant --client support-desk --action errors.read --realm acme',
  ],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const named = await readPermissions(values, administration);
      if (!named.ok) return named;
      const { holder, holderName, realmId, where, actions } = named.value;
      for (const action of actions) {
        const isNew = await administration.permissions.grant(holder, realmId, action);
        deps.terminal.out(`${holderName} ${isNew ? 'may' : 'could already'} ${action} in ${where}.`);
      }
      return ok(null);
    }),
});
