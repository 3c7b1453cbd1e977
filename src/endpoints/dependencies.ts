import type { JWK } from 'jose';
import type { RealmId, UserId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import type { Log } from '../core/log.ts';
import { unreachable } from '../core/result.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { RenderPage } from '../login/render.ts';
import type { RequestObjectPorts } from '../oidc/authorize/request_object.ts';
import type { Client } from '../oidc/client.ts';
import type { ClientKeys } from '../oidc/client_keys.ts';
import type { Families, SpendProof } from '../oidc/ports.ts';
import type { Realm } from '../oidc/realm.ts';
import type { FetchJson, Registrations } from '../oidc/registration/ports.ts';
import type { StandardClaims } from '../oidc/standard_claims.ts';
import type { Account } from './account/ports.ts';
import type { Consents, Devices, FlowVersion, Runs, Sessions, VerifyPassword } from './interaction/ports.ts';

/** A realm's keys as the configuration cache holds them. */
export type RealmKeys = {
  readonly signers: ReadonlyMap<string, { readonly sign: (type: string, claims: object) => string | Promise<string> }>;
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
  readonly log: Log;
  readonly ring: KeyRing;
  readonly configuration: Configuration;
  readonly families: Families;
  readonly spendProof: SpendProof;
  readonly clientKeys: ClientKeys;
  readonly fetchRequestObject: RequestObjectPorts['fetchRequestObject'];
  /** null: no such user. */
  readonly userClaims: (realmId: RealmId, userId: UserId) => Promise<StandardClaims | null>;
  readonly sessions: Sessions;
  readonly consents: Consents;
  readonly runs: Runs;
  readonly devices: Devices;
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

/** Unknown and disabled clients are the same to everyone outside. */
export async function findClient(
  { configuration }: Pick<Dependencies, 'configuration'>,
  realm: Realm,
  clientId: string,
  now: Instant,
): Promise<Client | null> {
  const client = await configuration.client(realm.id, clientId, now);
  return client?.enabled === true ? client : null;
}
