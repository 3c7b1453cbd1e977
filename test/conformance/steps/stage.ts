import { brandId, type ClientId, type RealmId } from '../../../src/core/ids.ts';
import { systemClock } from '../../../src/core/time.ts';
import { createClients } from '../../../src/store/clients.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { type OpenBrowser, openUserAgent } from './browser.ts';
import { endpoint, fetchMetadata, mustSupportClientAuth } from './discovery.ts';
import type { PlanClient, Variant } from './environment.ts';
import { fetchKeys } from './jwks.ts';
import type { Module } from './module.ts';
import { type RelyingParty, startRelyingParty } from './relying_party.ts';
import { type Notes, type Outcome, outcomeOf } from './verdict.ts';

/** A running provider with the static clients of the plans, and the relying party that they belong to. */
export type Stage = {
  readonly issuer: string;
  readonly run: (module: Module, variant: Variant, openBrowser?: OpenBrowser) => Promise<Outcome>;
  readonly stop: () => Promise<void>;
};

export async function openStage(): Promise<Stage> {
  const provider = await startProvider();
  const relyingParty = startRelyingParty();
  const { issuer } = provider;
  const user = { username: 'alice', password: 'alice-in-the-demo' };
  const clients = {
    client_secret_basic: await registerClient(provider, relyingParty, 'conformance', 'client_secret_basic'),
    client_secret_post: await registerClient(provider, relyingParty, 'conformance-post', 'client_secret_post'),
  };
  const client2 = await registerClient(provider, relyingParty, 'conformance-2', 'client_secret_basic');
  const clock = { aheadSeconds: 0 };
  const wait = async (seconds: number): Promise<void> => {
    await provider.shiftClock(seconds);
    clock.aheadSeconds += seconds;
  };
  return {
    issuer,
    run: async (module, variant, openBrowser = openUserAgent) => {
      const notes: Notes = { warnings: [], reviews: [] };
      const browser = await openBrowser({ issuer, user, relyingParty });
      const run = async (): Promise<void> => {
        const metadata = await fetchMetadata(issuer);
        mustSupportClientAuth(metadata, variant.clientAuth);
        const keys = await fetchKeys(endpoint({ metadata }, 'jwks_uri'));
        const client = clients[variant.clientAuth];
        const now = (): number => Math.floor(systemClock() / 1000) + clock.aheadSeconds;
        const warnUnless = (holds: boolean, otherwise: string): void => {
          if (!holds && !notes.warnings.includes(otherwise)) notes.warnings.push(otherwise);
        };
        const review = (what: string): void => void notes.reviews.push(what);
        const facts = { issuer, variant, metadata, keys, client, client2, relyingParty, browser };
        await module.run({ ...facts, now, wait, warnUnless, review });
      };
      try {
        return await outcomeOf(notes, run);
      } finally {
        await browser.close();
      }
    },
    stop: async () => {
      await relyingParty.stop();
      await provider.stop();
    },
  };
}

async function registerClient(
  { database }: Provider,
  { redirectUri, postLogoutRedirectUri }: RelyingParty,
  clientId: string,
  authMethod: PlanClient['authMethod'],
): Promise<PlanClient> {
  const [realm] = await database.sql`SELECT id FROM realms WHERE is_default`;
  const created = await createClients(database, { system: {} }).create(
    {
      realmId: brandId<RealmId>(String(realm?.['id'])),
      clientId: brandId<ClientId>(clientId),
      class: 'confidential',
      name: clientId,
      authMethod,
      jwks: null,
      redirectUris: [redirectUri],
      postLogoutRedirectUris: [postLogoutRedirectUri],
      grantTypes: ['authorization_code', 'refresh_token'],
      responseTypes: ['code'],
      scope: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
      resources: [],
      introspects: [],
      idTokenSignedResponseAlg: null,
      defaultMaxAgeSeconds: null,
      requireAuthTime: false,
      consent: 'remembered',
      overrides: {},
      metadata: {},
    },
    { withSecret: true },
    systemClock(),
  );
  const secret = created.ok ? created.value.secret : null;
  if (secret === null) throw new Error(`${clientId} cannot be registered`);
  return { clientId, clientSecret: secret.reveal(), authMethod };
}
