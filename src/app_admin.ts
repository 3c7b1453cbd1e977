import { type AdminPorts, createAdmin } from './admin/index.ts';
import type { ConfigWith } from './config.ts';
import type { KeyRing } from './core/key_ring.ts';
import { err, type Result } from './core/result.ts';
import type { Clock } from './core/time.ts';
import { readJsonObject } from './endpoints/body.ts';
import { createVerifyAccessToken } from './endpoints/own_token.ts';
import { logRefusal, type RequestLog } from './endpoints/refused.ts';
import { failed } from './endpoints/unavailable.ts';
import { renderPage } from './login/index.ts';
import { createAdminPermissions } from './store/admin_permissions.ts';
import type { Audit } from './store/audit.ts';
import { createClients } from './store/clients.ts';
import { changeConfigurationAtOnce } from './store/config_version.ts';
import type { ConfigurationCache } from './store/configuration.ts';
import type { Database } from './store/database.ts';
import { createFamilies } from './store/families.ts';
import { isPassing } from './store/fault.ts';
import { createRealms, type RealmRecord, type RealmRefusal } from './store/realms.ts';
import { createRefusals } from './store/refusals.ts';
import { configurationStalenessSeconds } from './store/signing_keys.ts';

/** What the admin API works on, wired. */

export type AdminParts = {
  readonly config: ConfigWith<'databaseUrl' | 'secrets' | 'publicUrl'>;
  readonly clock: Clock;
  readonly log: RequestLog;
  readonly ring: KeyRing;
  readonly configuration: ConfigurationCache;
  readonly tokens: Database;
  /** Apart from the token path, which the work of operators must not slow down. */
  readonly signIn: Database;
  readonly audit: Audit;
};

export function wireAdmin({ config, clock, log, ring, configuration, tokens, signIn, audit }: AdminParts) {
  const { publicUrl, settings: system } = config;
  const made = { ring, system };
  const verify = createVerifyAccessToken({ ring });
  const permissions = createAdminPermissions(signIn);
  const realms = createRealms(signIn, made);
  return createAdmin({
    publicUrl,
    clock,
    system,
    inForceWithinSeconds: configurationStalenessSeconds,
    isFresh: (now) => configuration.isFresh(now),
    defaultRealm: (now) => configuration.defaultRealm(now),
    verifyAccessToken: async (token, realm, now) => verify(token, realm, await configuration.keys(realm.id, now), now),
    async findClient(realm, clientId, now) {
      const client = await configuration.client(realm.id, clientId, now);
      return client?.enabled === true ? client : null;
    },
    readLive: createFamilies(tokens, audit).readLive,
    reachOf: permissions.reachOf,
    realms: realms.list,
    client: createClients(signIn, made).show,
    refusals: createRefusals(signIn).find,
    changeSetting: changeSetting({ signIn, made, audit, configuration }),
    readJsonObject,
    noteRefusal: ({ peer, path, refusal, clientId, defaultRealm: realm }) =>
      logRefusal(log, { errorId: peer.errorId, address: peer.address, path, realm }, refusal, clientId),
    fail: (thrown, request, peer) => failed({ log, renderPage, isPassing }, thrown, request, peer),
  });
}

type Changing = Pick<AdminParts, 'signIn' | 'audit' | 'configuration'> & {
  readonly made: Parameters<typeof createRealms>[1];
};

/** The change and its audit event are one transaction. */
const changeSetting =
  ({ signIn, made, audit, configuration }: Changing): AdminPorts['changeSetting'] =>
  async ({ slug, realmId, key, override, caller, address, now }) => {
    const changed = await changeConfigurationAtOnce<Result<RealmRecord, RealmRefusal>>(signIn, async (joined) => {
      const updated = await createRealms(joined, made).update(slug, { overrides: { [key]: override } }, now);
      if (!updated.ok) return { keep: false, value: updated };
      const by = caller.kind === 'user' ? { by: caller.userId } : {};
      const detail = {
        setting: key,
        change: override === null ? 'taken away' : 'set',
        through: caller.clientId,
        ...by,
      };
      await audit.record({ event: 'realm.updated', realmId, address, detail }, joined.db);
      return { keep: true, value: updated };
    });
    if (!changed.ok) return err(changed.error.kind === 'settings' ? changed.error.faults : ['there is no such realm']);
    configuration.clear();
    return changed;
  };
