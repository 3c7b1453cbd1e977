import { encodeBase64url } from '../../../src/core/base64url.ts';
import { randomBytes } from '../../../src/core/crypto.ts';
import { brandId, type ClientId, type RealmId } from '../../../src/core/ids.ts';
import { KeyRing } from '../../../src/core/key_ring.ts';
import { Secret } from '../../../src/core/secret.ts';
import { systemClock } from '../../../src/core/time.ts';
import { createClients } from '../../../src/store/clients.ts';
import { createSigningKeys } from '../../../src/store/signing_keys.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { type OpenBrowser, openUserAgent } from './browser.ts';
import { type ClientKey, generateClientKey } from './client_key.ts';
import { endpoint, fetchMetadata, mustSupportClientAuth } from './discovery.ts';
import type { AuthMethod, Environment, PlanClient, Variant } from './environment.ts';
import { fetchKeys } from './jwks.ts';
import type { Module } from './module.ts';
import { postRegistration, registeredClient, removeClient, usualMembers } from './registration.ts';
import { type RelyingParty, startRelyingParty } from './relying_party.ts';
import { type Notes, type Outcome, outcomeOf } from './verdict.ts';

/** A running provider with the static clients of the plans, and the relying party that they belong to. */
export type Stage = {
  readonly issuer: string;
  readonly run: (module: Module, variant: Variant, openBrowser?: OpenBrowser) => Promise<Outcome>;
  readonly stop: () => Promise<void>;
};

export async function openStage(): Promise<Stage> {
  const secret = randomBytes(32);
  const provider = await startProvider({
    environment: { ...switchedOn, LIMEN_SECRETS: encodeBase64url(secret) },
  });
  const key = await generateClientKey('first');
  const key2 = await generateClientKey('second');
  const relyingParty = startRelyingParty();
  const { issuer } = provider;
  const user = { username: 'alice', password: 'alice-in-the-demo' };
  const clients = {
    client_secret_basic: await registerClient(provider, relyingParty, 'conformance', 'client_secret_basic', key),
    client_secret_post: await registerClient(provider, relyingParty, 'conformance-post', 'client_secret_post', key),
  };
  const static2 = await registerClient(provider, relyingParty, 'conformance-2', 'client_secret_basic', key2);
  const clock = { aheadSeconds: 0 };
  const wait = async (seconds: number): Promise<void> => {
    await provider.shiftClock(seconds);
    clock.aheadSeconds += seconds;
  };
  const signingKeys = createSigningKeys(provider.database, new KeyRing([new Secret(secret)]));
  const rotateKeys = async (): Promise<void> => {
    const rotated = await signingKeys.rotate(await defaultRealm(provider), 'RS256', { force: true });
    if (!rotated.ok) throw new Error(`the keys cannot be rotated: ${rotated.error.kind}`);
    // Until every cache has noticed.
    await provider.shiftClock(0);
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
        const now = (): number => Math.floor(systemClock() / 1000) + clock.aheadSeconds;
        const warnUnless = (holds: boolean, otherwise: string): void => {
          if (!holds && !notes.warnings.includes(otherwise)) notes.warnings.push(otherwise);
        };
        const review = (what: string): void => void notes.reviews.push(what);
        const made: PlanClient[] = [];
        const register: Environment['register'] = async (members = {}, signsWith = key) => {
          const document = { ...usualMembers(relyingParty, variant, signsWith), ...members };
          const answer = await postRegistration(endpoint({ metadata }, 'registration_endpoint'), document);
          const client = registeredClient(answer, signsWith, variant.clientAuth);
          made.push(client);
          return client;
        };
        const isStatic = variant.registration === 'static_client';
        const client =
          isStatic && variant.clientAuth !== 'private_key_jwt' ? clients[variant.clientAuth] : await register();
        const client2 = isStatic ? static2 : await register({}, key2);
        const facts = { issuer, variant, metadata, keys, client, client2, relyingParty, browser };
        try {
          await module.run({ ...facts, register, rotateKeys, now, wait, warnUnless, review });
        } finally {
          for (const one of made) await removeClient(one, warnUnless);
        }
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

/** What the plans examine and a provider does not offer by itself. */
const switchedOn = {
  LIMEN_SETTING_REGISTRATION: 'open',
  LIMEN_SETTING_REGISTRATIONS_PER_HOUR: '100000',
  LIMEN_SETTING_IMPLICIT_AND_HYBRID: 'true',
  LIMEN_SETTING_SESSION_MANAGEMENT: 'true',
  LIMEN_OUTBOUND_LOOPBACK: 'true',
};

async function defaultRealm({ database }: Provider): Promise<RealmId> {
  const [realm] = await database.sql`SELECT id FROM realms WHERE is_default`;
  return brandId<RealmId>(String(realm?.['id']));
}

async function registerClient(
  provider: Provider,
  { redirectUri, postLogoutRedirectUri }: RelyingParty,
  clientId: string,
  authMethod: AuthMethod,
  key: ClientKey,
): Promise<PlanClient> {
  const created = await createClients(provider.database, { system: {} }).create(
    {
      realmId: await defaultRealm(provider),
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
  return { clientId, clientSecret: secret.reveal(), authMethod, redirectUri, key, registered: null };
}
