import { ok } from '../core/result.ts';
import type { ClientRecord } from '../store/clients.ts';
import type { RealmRecord } from '../store/realms.ts';
import type { UserRecord } from '../store/users.ts';
import { administer, findRealm, realmOption } from './administration.ts';
import { clientMembers } from './client/view.ts';
import { defineCommand } from './command.ts';
import type { Administration } from './deps.ts';
import { overridesDocument } from './realm/view.ts';

export const exportCommand = defineCommand({
  name: 'export',
  summary: 'Write realms, their settings and clients as a file that `limen apply` takes. No secret is in it.',
  options: {
    realm: { ...realmOption, sentence: 'Only this realm; without it, all of them.' },
    users: { type: 'flag', sentence: 'Users too, without their passwords.' },
  },
  examples: ['limen export', 'limen export --realm acme --users'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const named = values.realm === undefined ? null : await findRealm(administration, values.realm);
      if (named?.ok === false) return named;
      const realms = named === null ? await administration.realms.list() : [named.value];
      const entries: object[] = [];
      for (const realm of realms) entries.push(await realmEntry(administration, realm, values.users, deps.now()));
      deps.terminal.out(JSON.stringify({ version: 1, realms: entries }, null, 2));
      return ok(null);
    }),
});

/** Clients that registered themselves are theirs to describe, so they are left out. */
async function realmEntry(
  { clients, users }: Administration,
  realm: RealmRecord,
  withUsers: boolean,
  now: number,
): Promise<object> {
  const own = new Set(await clients.listOwn(realm.id));
  const all = await clients.list(realm.id);
  return {
    slug: realm.slug,
    name: realm.name,
    default: realm.isDefault,
    enabled: realm.enabled,
    settings: overridesDocument(realm.overrides),
    clients: all.filter(({ clientId }) => own.has(clientId)).map((client) => clientEntry(client, now)),
    ...(withUsers ? { users: (await everyUser(users, realm)).map(userEntry) } : {}),
  };
}

/** Of its secrets the hashes. */
function clientEntry(client: ClientRecord, now: number): object {
  const hashes = client.secrets
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
    .map(({ hash }) => Buffer.from(hash).toString('hex'));
  const secrets = hashes.length === 0 ? {} : { client_secret_sha256: hashes };
  const written = { client_id: client.clientId, ...clientMembers(client), ...secrets };
  return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null));
}

const userEntry = ({ username, claims, enabled }: UserRecord): object => ({ username, claims, enabled });

const pageSize = 500;

async function everyUser(users: Administration['users'], { id }: RealmRecord): Promise<readonly UserRecord[]> {
  const all: UserRecord[] = [];
  for (;;) {
    const page = await users.list(id, { after: all.at(-1)?.username ?? '', limit: pageSize });
    all.push(...page);
    if (page.length < pageSize) return all;
  }
}
