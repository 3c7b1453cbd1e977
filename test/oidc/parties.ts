import {
  brandId,
  type ClientId,
  type FamilyId,
  type RealmId,
  type SessionId,
  type UserId,
} from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { resolveSettings } from '../../src/core/overrides.ts';
import type { Result } from '../../src/core/result.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Client } from '../../src/oidc/client.ts';
import { type Form, parseForm } from '../../src/oidc/parameters.ts';
import type { Realm } from '../../src/oidc/realm.ts';

/** The realm, clients, people and keys that the protocol's tests speak of. */

export const second = 1000;
export const start: Instant = 1_800_000_000_000;
export const issuer = 'https://id.example';

export const defaults: Settings = resolveSettings({}, start);

export const realmId = brandId<RealmId>('01900000-0000-7000-8000-000000000001');
export const otherRealmId = brandId<RealmId>('01900000-0000-7000-8000-000000000002');
export const userId = brandId<UserId>('01900000-0000-7000-8000-00000000a11c');
export const sessionId = brandId<SessionId>('01900000-0000-7000-8000-000000005e55');
/** Its first 48 bits are the family's absolute end: 30 days after `start`. */
export const familyId = brandId<FamilyId>('01a3b2db-1800-8000-8000-00000000fa51');

const secretOf = (fill: number): Secret<Uint8Array> => new Secret(Buffer.alloc(32, fill));

export const realmWith = (settings: Partial<Settings>, changes: Partial<Realm> = {}): Realm => ({
  id: realmId,
  slug: 'main',
  name: 'Main',
  isDefault: true,
  issuer,
  overrides: {},
  settings: { ...defaults, ...settings },
  secrets: { pairwise: secretOf(201), lockout: secretOf(202) },
  enabled: true,
  validFrom: 0,
  ...changes,
});
export const realm = realmWith({});

/** A ring whose entries are made of these numbers, newest first. */
export const ringOf = (...fills: readonly number[]): KeyRing => new KeyRing(fills.map(secretOf));
export const ring = ringOf(1);

export const callback = 'https://rp.example/callback';

export const web: Client = {
  realmId,
  clientId: brandId<ClientId>('web'),
  class: 'confidential',
  name: 'Web',
  authMethod: 'client_secret_basic',
  secrets: [],
  jwks: null,
  redirectUris: [callback],
  postLogoutRedirectUris: [],
  grantTypes: ['authorization_code', 'refresh_token'],
  responseTypes: ['code'],
  scope: ['openid', 'profile', 'email', 'offline_access', 'api'],
  resources: [],
  introspects: [],
  idTokenSignedResponseAlg: null,
  defaultMaxAgeSeconds: null,
  requireAuthTime: false,
  consent: 'remembered',
  overrides: {},
  settings: defaults,
  metadata: {},
  enabled: true,
  validFrom: 0,
};

/** A public client: a single-page application. */
export const spa: Client = {
  ...web,
  clientId: brandId<ClientId>('spa'),
  class: 'public',
  name: 'Single-page application',
  authMethod: 'none',
};

/** A confidential client that acts for itself. */
export const machine: Client = {
  ...web,
  clientId: brandId<ClientId>('machine'),
  name: 'Machine',
  authMethod: 'client_secret_post',
  grantTypes: ['client_credentials'],
  responseTypes: [],
  redirectUris: [],
  scope: ['api', 'reports'],
};

export const withSettings = (client: Client, settings: Partial<Settings>): Client => ({
  ...client,
  settings: { ...client.settings, ...settings },
});

type Parameters = { readonly [name: string]: string | readonly string[] | undefined };

/** A form with these parameters; a list is sent as often as it has members, undefined is not sent. */
export function formOf(parameters: Parameters): Form {
  const sent = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) sent.append(name, one);
  }
  return parseForm(sent.toString());
}

/** The value of a success; a refusal fails the test and says what it was. */
export function granted<Value, Failure>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** The failure of a refusal; a success fails the test. */
export function refused<Value, Failure>(result: Result<Value, Failure>): Failure {
  if (result.ok) throw new Error(`not refused: ${JSON.stringify(result.value)}`);
  return result.error;
}

/** RFC 7636 Appendix B. */
export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
