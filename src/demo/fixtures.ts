import type { StandardClaims } from '../oidc/standard_claims.ts';

/** What a demo has, the same every time: documented in the README and written to `demo.json`. */

export type DemoUser = { readonly username: string; readonly password: string; readonly claims: StandardClaims };

export type DemoClient = {
  readonly clientId: string;
  readonly name: string;
  readonly authMethod: 'none' | 'client_secret_basic';
  readonly grantTypes: readonly string[];
  readonly scope: readonly string[];
  /** false: a service, which nobody signs in to. */
  readonly signsIn: boolean;
};

export type DemoRealm = {
  readonly slug: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly users: readonly DemoUser[];
  readonly clients: readonly DemoClient[];
};

/** Every standard claim of OIDC Core §5.1 has a value. */
const alice: DemoUser = {
  username: 'alice',
  password: 'alice-in-the-demo',
  claims: {
    name: 'Alice Adler',
    given_name: 'Alice',
    family_name: 'Adler',
    middle_name: 'Marie',
    nickname: 'Ali',
    preferred_username: 'alice',
    profile: 'https://alice.example/about',
    picture: 'https://alice.example/portrait.jpg',
    website: 'https://alice.example/',
    email: 'alice@example.com',
    email_verified: true,
    gender: 'female',
    birthdate: '1990-04-23',
    zoneinfo: 'Europe/Vienna',
    locale: 'de-AT',
    phone_number: '+43 1 5550123',
    phone_number_verified: true,
    address: {
      formatted: 'Schwellenweg 7\n1010 Wien\nAustria',
      street_address: 'Schwellenweg 7',
      locality: 'Wien',
      region: 'Wien',
      postal_code: '1010',
      country: 'Austria',
    },
    updated_at: 1_767_225_600,
  },
};

const bob: DemoUser = {
  username: 'bob',
  password: 'bob-in-the-demo',
  claims: {
    name: 'Bob Baker',
    given_name: 'Bob',
    family_name: 'Baker',
    email: 'bob@example.com',
    email_verified: false,
  },
};

const carol: DemoUser = {
  username: 'carol',
  password: 'carol-in-the-demo',
  claims: { name: 'Carol Clarke', given_name: 'Carol', family_name: 'Clarke', email: 'carol@acme.example' },
};

const identity = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];
const interactive = ['authorization_code', 'refresh_token'];

const spa = { authMethod: 'none', grantTypes: interactive, scope: identity, signsIn: true } as const;
const web = { authMethod: 'client_secret_basic', grantTypes: interactive, scope: identity, signsIn: true } as const;

export const demoRealms: readonly DemoRealm[] = [
  {
    slug: 'main',
    name: 'Limen demo',
    isDefault: true,
    users: [alice, bob],
    clients: [
      { clientId: 'demo-spa', name: 'Demo single-page app', ...spa },
      { clientId: 'demo-web', name: 'Demo web application', ...web },
      {
        clientId: 'demo-service',
        name: 'Demo service',
        authMethod: 'client_secret_basic',
        grantTypes: ['client_credentials'],
        scope: ['orders.read', 'orders.write'],
        signsIn: false,
      },
    ],
  },
  {
    slug: 'acme',
    name: 'Acme',
    isDefault: false,
    users: [carol],
    clients: [{ clientId: 'acme-web', name: 'Acme web application', ...web }],
  },
];
