import type { JWK } from 'jose';
import type { RealmId, UserId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { RenderPage } from '../login/render.ts';
import type { RequestObjectPorts } from '../oidc/authorize/request_object.ts';
import type { Client } from '../oidc/client.ts';
import type { OpenClientSecret } from '../oidc/client_auth/method.ts';
import type { ClientKeys } from '../oidc/client_keys.ts';
import type { DeviceAuthorizations } from '../oidc/device/ports.ts';
import type { LivenessPorts } from '../oidc/live_token.ts';
import type { Families, SpendProof, SpendProofs } from '../oidc/ports.ts';
import type { Realm } from '../oidc/realm.ts';
import type { FetchJson, Registrations } from '../oidc/registration/ports.ts';
import type { StandardClaims } from '../oidc/standard_claims.ts';
import type { Account } from './account/ports.ts';
import type { Exchange } from './exchange.ts';
import type { Consents, FlowVersion, KnownDevices, Runs, Sessions, VerifyPassword } from './interaction/ports.ts';
import { ClientDocumentUnavailable, type MetadataClients, type NoClient } from './metadata_clients.ts';
import type { RequestLog } from './refused.ts';

/** A realm's keys as the configuration cache holds them. */
export type RealmKeys = {
  readonly signers: ReadonlyMap<string, { readonly sign: (type: string, claims: object) => Promise<string> }>;
  readonly jwks: { readonly keys: readonly JWK[] };
};

/** Configuration as this process knows it, never older than ten seconds while `isFresh`. */
export type Configuration = {
  readonly isFresh: (now: Instant) => boolean;
  readonly defaultRealm: (now: Instant) => Promise<Realm | null>;
  readonly realmBySlug: (slug: string, now: Instant) => Promise<Realm | null>;
  readonly client: (realmId: RealmId, clientId: string, now: Instant) => Promise<Client | null>;
  readonly keys: (realmId: RealmId, now: Instant) => Promise<RealmKeys>;
  readonly flowVersion: (realmId: RealmId, versionId: string, now: Instant) => Promise<FlowVersion | null>;
  readonly deployedFlow: (realmId: RealmId, purpose: string, now: Instant) => Promise<FlowVersion | null>;
  /** Forgets all of it, after a change that this process made itself; the others follow within a second. */
  readonly clear: () => void;
};

/** Everything the endpoints use; `app.ts` makes it. */
export type Dependencies = {
  /** An origin without a trailing slash. Issuer, links and the cookie scheme come from it, never from a request. */
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly log: RequestLog;
  readonly ring: KeyRing;
  readonly configuration: Configuration;
  readonly metadataClients: MetadataClients;
  readonly families: Families;
  readonly devices: DeviceAuthorizations;
  readonly spendProof: SpendProof;
  readonly spendProofs: SpendProofs;
  readonly clientKeys: ClientKeys;
  readonly openClientSecret: OpenClientSecret;
  readonly fetchRequestObject: RequestObjectPorts['fetchRequestObject'];
  /** null: no such user. */
  readonly userClaims: (realmId: RealmId, userId: UserId) => Promise<StandardClaims | null>;
  readonly sessions: Sessions;
  readonly consents: Consents;
  readonly runs: Runs;
  readonly knownDevices: KnownDevices;
  readonly account: Account;
  readonly verifyPassword: VerifyPassword;
  readonly registrations: Registrations;
  readonly fetchJson: FetchJson;
  readonly renderPage: RenderPage;
  readonly acrValues: readonly string[];
  readonly uiLocales: readonly string[];
};

/** A registry names the algorithm, so a realm without a key for it is a bug of its making. */
export const signerOf = ({ signers }: RealmKeys, algorithm: string) =>
  signers.get(algorithm) ?? unreachable(`the realm has no active ${algorithm} key`);

type ClientSources = Pick<Dependencies, 'configuration' | 'metadataClients'>;

/**
 * Unknown and disabled clients are the same to everyone outside. For an id out of something of ours: a token or a run.
 * Throws `ClientDocumentUnavailable`.
 */
export async function findClient(
  sources: ClientSources,
  realm: Realm,
  clientId: string,
  now: Instant,
): Promise<Client | null> {
  return sources.metadataClients.isNamed(realm, clientId)
    ? whileAvailable(await sources.metadataClients.find(realm, clientId, null))
    : findRegisteredClient(sources, realm, clientId, now);
}

/** For an id that anybody could have sent. Throws `ClientDocumentUnavailable`. */
export const findPresentedClient = async (
  sources: ClientSources,
  exchange: Exchange,
  clientId: string,
): Promise<Client | null> => whileAvailable(await presentedClient(sources, exchange, clientId));

/** Why there is none: `unknown` where nothing is registered under that id. */
export async function presentedClient(
  sources: ClientSources,
  exchange: Exchange,
  clientId: string,
): Promise<Result<Client, NoClient | 'unknown'>> {
  const { realm, now } = exchange;
  if (sources.metadataClients.isNamed(realm, clientId)) return sources.metadataClients.find(realm, clientId, exchange);
  const client = await findRegisteredClient(sources, realm, clientId, now);
  return client === null ? err('unknown') : ok(client);
}

function whileAvailable(found: Result<Client, NoClient | 'unknown'>): Client | null {
  if (found.ok) return found.value;
  if (found.error !== 'unknown' && found.error.kind === 'unavailable') {
    throw new ClientDocumentUnavailable(found.error.refusal);
  }
  return null;
}

export async function findRegisteredClient(
  { configuration }: Pick<Dependencies, 'configuration'>,
  realm: Realm,
  clientId: string,
  now: Instant,
): Promise<Client | null> {
  const client = await configuration.client(realm.id, clientId, now);
  return client?.enabled === true ? client : null;
}

/** What tells whether an access token still counts. */
export const livenessPorts = (
  deps: ClientSources & Pick<Dependencies, 'families'>,
  realm: Realm,
  now: Instant,
): LivenessPorts => ({ families: deps.families, findClient: (clientId) => findClient(deps, realm, clientId, now) });
