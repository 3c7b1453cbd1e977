import { actionNames } from '../../admin/actions.ts';
import type { RealmId } from '../../core/ids.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { PermissionHolder } from '../../store/admin_permissions.ts';
import { findRealm, type Refused } from '../administration.ts';
import { explainClientRefusal } from '../client/view.ts';
import type { Option, Values } from '../command.ts';
import type { Administration } from '../deps.ts';
import { findUser } from '../user/show.ts';
import { explainUserRefusal } from '../user/view.ts';

/** What `admin grant` and `admin revoke` name: one holder, actions, and where. */
export const permissionOptions = {
  user: { type: 'text', value: '<username>', sentence: 'A user of the default realm, by name or id.' },
  client: { type: 'text', value: '<client_id>', sentence: 'Or a client of the default realm, by its own tokens.' },
  action: { type: 'list', value: '<action>', sentence: `What they may do: ${actionNames.join(', ')}, or all of it.` },
  realm: { type: 'text', value: '<slug>', sentence: 'In this realm.' },
  'every-realm': { type: 'flag', sentence: 'Or in every realm, those to come as well.' },
} as const satisfies { readonly [name: string]: Option };

export type NamedPermissions = {
  readonly holder: PermissionHolder;
  readonly holderName: string;
  /** null: every realm. */
  readonly realmId: RealmId | null;
  /** In words. */
  readonly where: string;
  readonly actions: readonly string[];
};

export async function readPermissions(
  values: Values<typeof permissionOptions>,
  administration: Administration,
): Promise<Result<NamedPermissions, Refused>> {
  const unknown = values.action.filter((action) => action !== 'all' && !actionNames.some((name) => name === action));
  if (unknown.length > 0) return err(unknown.map((name) => `there is no action "${name}"; there are: ${known}`));
  if (values.action.length === 0) return err([`say what with --action: ${known}, or all`]);
  if ((values.realm === undefined) !== values['every-realm'])
    return err(['say where: --realm <slug>, or --every-realm']);
  const realm = values.realm === undefined ? ok(null) : await findRealm(administration, values.realm);
  if (!realm.ok) return realm;
  const holder = await readHolder(values, administration);
  if (!holder.ok) return holder;
  const actions = values.action.includes('all') ? actionNames : values.action;
  const where = realm.value === null ? 'every realm' : realm.value.slug;
  return ok({ ...holder.value, realmId: realm.value?.id ?? null, where, actions });
}

const known = actionNames.join(', ');

async function readHolder(
  { user, client }: Pick<Values<typeof permissionOptions>, 'user' | 'client'>,
  administration: Administration,
): Promise<Result<Pick<NamedPermissions, 'holder' | 'holderName'>, Refused>> {
  if ((user === undefined) === (client === undefined))
    return err(['say who: --user <username>, or --client <client_id>']);
  const main = await findRealm(administration, undefined);
  if (!main.ok) return main;
  if (user !== undefined) {
    const found = await findUser(administration, main.value, user);
    return found === null
      ? err(explainUserRefusal('unknown_user'))
      : ok({ holder: { userId: found.id }, holderName: `user ${found.username}` });
  }
  const found = await administration.clients.show(main.value.id, client ?? '');
  if (found === null) return err(explainClientRefusal({ kind: 'unknown_client' }));
  if (found.class === 'public') return err(['a public client has no tokens of its own; grant to its users']);
  return ok({ holder: { clientId: found.clientId }, holderName: `client ${found.clientId}` });
}
