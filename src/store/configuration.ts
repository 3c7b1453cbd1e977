import type { RealmId } from '../core/ids.ts';
import { isUuid } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import type { Overrides } from '../core/overrides.ts';
import type { Instant } from '../core/time.ts';
import type { Client } from '../oidc/client.ts';
import type { Realm } from '../oidc/realm.ts';
import { createClients, isClientId, toClient } from './clients.ts';
import type { Database } from './database.ts';
import { createFlows, type FlowVersion } from './flows.ts';
import { nextExpiry } from './overrides.ts';
import { type Loaded, ReadThrough } from './read_through.ts';
import { createRealms, isSlug, type RealmKey, toRealm } from './realms.ts';
import { configurationStalenessSeconds, createSigningKeys, type RealmKeys } from './signing_keys.ts';

export type ConfigurationParts = {
  readonly database: Database;
  readonly ring: KeyRing;
  /** An origin without a trailing slash: the default realm's issuer. */
  readonly publicUrl: string;
  /** The system layer of the settings. */
  readonly system: Overrides;
};

const sizes = {
  realms: { found: 1000, absent: 1000 },
  clients: { found: 10_000, absent: 10_000 },
  keys: { found: 1000, absent: 1000 },
  flows: { found: 1000, absent: 1000 },
} as const;

/**
 * Configuration as this process knows it: realms, clients, keys and flow versions. It is security-relevant, so how old it
 * may be is bounded: each second somebody reads `config_version` and tells `confirm`; a change drops everything that was
 * read before it, and without a confirmation for 10 s `isFresh` is false and the edge answers 503.
 * Users, sessions, families and locks are never here.
 */
export class ConfigurationCache {
  readonly #parts: ConfigurationParts;
  readonly #stores: Stores;
  readonly #realms = new ReadThrough<Realm>(sizes.realms);
  readonly #clients = new ReadThrough<Client>(sizes.clients);
  readonly #keys = new ReadThrough<RealmKeys>(sizes.keys);
  readonly #flows = new ReadThrough<FlowVersion>(sizes.flows);
  #confirmed: { readonly version: number; readonly at: Instant } | null = null;

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
    this.#stores = storesOf(parts);
  }

  /** `version` was in force at some time after `askedAt`, the process's clock before the question was sent. */
  confirm(version: number, askedAt: Instant): void {
    const before = this.#confirmed;
    // Any other version counts as a change, a lower one too: a database that was restored.
    if (before?.version !== version) this.clear();
    this.#confirmed = { version, at: askedAt };
  }

  /** A process clock that was set back is not fresh either, until the next confirmation. */
  isFresh(now: Instant): boolean {
    const confirmed = this.#confirmed;
    return confirmed !== null && Math.abs(now - confirmed.at) < configurationStalenessSeconds * 1000;
  }

  /** Forgets everything; loads in flight are not kept. */
  clear(): void {
    for (const cache of [this.#realms, this.#clients, this.#keys, this.#flows]) cache.clear();
  }

  defaultRealm(now: Instant): Promise<Realm | null> {
    return this.#realm('default', { isDefault: true }, now);
  }

  realmBySlug(slug: string, now: Instant): Promise<Realm | null> {
    return isSlug(slug) ? this.#realm(`slug ${slug}`, { slug }, now) : absent;
  }

  realmById(id: RealmId, now: Instant): Promise<Realm | null> {
    return isUuid(id) ? this.#realm(`id ${id}`, { id }, now) : absent;
  }

  /** With the settings in force. Disabled clients are given too: refusing them is a rule of the protocol. */
  client(realmId: RealmId, clientId: string, now: Instant): Promise<Client | null> {
    if (!isClientId(clientId)) return absent;
    return this.#clients.get(`${realmId} ${clientId}`, now, async () => {
      // Not the caller's realm, which may be older than the last invalidation: it would outlive it in what is cached here.
      const realm = await this.realmById(realmId, now);
      const record = realm === null ? null : await this.#stores.clients.show(realmId, clientId);
      if (realm === null || record === null) return null;
      const layers = { system: this.#parts.system, realm: realm.overrides };
      const staleAt = nextExpiry({ ...layers, client: record.overrides }, now);
      // What a realm ended ends for each of its clients.
      const validFrom = Math.max(record.validFrom, realm.validFrom);
      return { value: { ...toClient(record, layers, now), validFrom }, staleAt };
    });
  }

  /** A realm without keys has an empty JWKS. */
  async keys(realmId: RealmId, now: Instant): Promise<RealmKeys> {
    const load = async () => ({ value: await this.#stores.keys.load(realmId), staleAt: null });
    return (await this.#keys.get(realmId, now, load)) ?? { signers: new Map(), jwks: { keys: [] } };
  }

  flowVersion(realmId: RealmId, versionId: string, now: Instant): Promise<FlowVersion | null> {
    if (!isUuid(versionId)) return absent;
    return this.#flows.get(`${realmId} ${versionId}`, now, () => lasting(this.#stores.flows.load(realmId, versionId)));
  }

  deployedFlow(realmId: RealmId, purpose: string, now: Instant): Promise<FlowVersion | null> {
    const key = `${realmId} for ${purpose}`;
    return this.#flows.get(key, now, () => lasting(this.#stores.flows.loadDeployed(realmId, purpose)));
  }

  #realm(key: string, which: RealmKey, now: Instant): Promise<Realm | null> {
    return this.#realms.get(key, now, async () => {
      const row = await this.#stores.realms.load(which);
      if (row === null) return null;
      const value = toRealm(row, this.#parts, now);
      return { value, staleAt: nextExpiry({ system: this.#parts.system, realm: value.overrides }, now) };
    });
  }
}

const storesOf = ({ database, ring, system }: ConfigurationParts) => ({
  realms: createRealms(database, { ring, system }),
  clients: createClients(database, { system }),
  keys: createSigningKeys(database, ring),
  flows: createFlows(database),
});

type Stores = ReturnType<typeof storesOf>;

const absent: Promise<null> = Promise.resolve(null);

async function lasting<Value>(loading: Promise<Value | null>): Promise<Loaded<Value> | null> {
  const value = await loading;
  return value === null ? null : { value, staleAt: null };
}
