import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { encodeBase64url } from '../../../src/core/base64url.ts';
import { randomBytes } from '../../../src/core/crypto.ts';
import { brandId, type ClientId, type RealmId } from '../../../src/core/ids.ts';
import { KeyRing } from '../../../src/core/key_ring.ts';
import { Secret } from '../../../src/core/secret.ts';
import { systemClock } from '../../../src/core/time.ts';
import { createClients } from '../../../src/store/clients.ts';
import { createSigningKeys } from '../../../src/store/signing_keys.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { selfSignedCertificate } from '../../self_signed_certificate.ts';
import { type OpenBrowser, openUserAgent } from './browser.ts';
import { type ClientKey, generateClientKey } from './client_key.ts';
import { endpoint, fetchMetadata, mustSupportClientAuth } from './discovery.ts';
import type { AuthMethod, Environment, PlanClient, Variant } from './environment.ts';
import { fetchKeys } from './jwks.ts';
import type { Module } from './module.ts';
import { postRegistration, registeredClient, removeClient, usualMembers } from './registration.ts';
import { type RelyingParty, startRelyingParty } from './relying_party.ts';
import { type Notes, type Outcome, outcomeOf } from './verdict.ts';

export type RunOptions = {
  readonly openBrowser?: OpenBrowser;
  /** Modules that run at the same time each need a lane of their own. */
  readonly lane?: number;
};

/** A running provider with the static clients of the plans, and per lane a relying party that they belong to. */
export type Stage = {
  readonly issuer: string;
  readonly run: (module: Module, variant: Variant, options?: RunOptions) => Promise<Outcome>;
  readonly stop: () => Promise<void>;
};

/** Up to so many seconds are waited for; beyond, the provider's clock is moved. */
const longestSleepSeconds = 2;

export async function openStage(lanes = 1): Promise<Stage> {
  const secret = randomBytes(32);
  const certificate = selfSignedCertificate(new Date());
  const folder = mkdtempSync(`${tmpdir()}/limen-conformance-`);
  const certificateFile = `${folder}/certificate.pem`;
  writeFileSync(certificateFile, certificate.certificate);
  const provider = await startProvider({
    environment: {
      ...switchedOn,
      LIMEN_SECRETS: encodeBase64url(secret),
      LIMEN_OUTBOUND_CA_FILE: certificateFile,
    },
  });
  const key = await generateClientKey('first');
  const key2 = await generateClientKey('second');
  const parties = Array.from({ length: lanes }, () => startRelyingParty(certificate));
  const { issuer } = provider;
  const user = { username: 'alice', password: 'alice-in-the-demo' };
  const clients = {
    client_secret_basic: await registerClient(provider, parties, 'conformance', 'client_secret_basic', key),
    client_secret_post: await registerClient(provider, parties, 'conformance-post', 'client_secret_post', key),
  };
  const static2 = await registerClient(provider, parties, 'conformance-2', 'client_secret_basic', key2);
  const clock = { aheadSeconds: 0 };
  const wait = async (seconds: number): Promise<void> => {
    if (seconds <= longestSleepSeconds) return Bun.sleep(seconds * 1000);
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
    run: async (module, variant, { openBrowser = openUserAgent, lane = 0 } = {}) => {
      const relyingParty = parties[lane];
      if (relyingParty === undefined) throw new Error(`there is no lane ${lane}`);
      const { redirectUri } = relyingParty;
      const mayChange = <Value>(change: Value): Value => {
        if (module.alone !== true) throw new Error(`${module.name} is not marked as alone`);
        return change;
      };
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
          isStatic && variant.clientAuth !== 'private_key_jwt'
            ? { ...clients[variant.clientAuth], redirectUri }
            : await register();
        const client2 = isStatic ? { ...static2, redirectUri } : await register({}, key2);
        const facts = { issuer, variant, metadata, keys, client, client2, relyingParty, browser };
        try {
          await module.run({
            ...facts,
            register,
            rotateKeys: () => mayChange(rotateKeys)(),
            now,
            wait: (seconds) => (seconds > longestSleepSeconds ? mayChange(wait) : wait)(seconds),
            warnUnless,
            review,
          });
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
      await Promise.all(parties.map((party) => party.stop()));
      await provider.stop();
      rmSync(folder, { recursive: true });
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
  parties: readonly RelyingParty[],
  clientId: string,
  authMethod: AuthMethod,
  key: ClientKey,
): Promise<Omit<PlanClient, 'redirectUri'>> {
  const created = await createClients(provider.database, { system: {} }).create(
    {
      realmId: await defaultRealm(provider),
      clientId: brandId<ClientId>(clientId),
      class: 'confidential',
      name: clientId,
      authMethod,
      jwks: null,
      redirectUris: parties.map(({ redirectUri }) => redirectUri),
      postLogoutRedirectUris: parties.map(({ postLogoutRedirectUri }) => postLogoutRedirectUri),
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
  return { clientId, clientSecret: secret.reveal(), authMethod, key, registered: null };
}
