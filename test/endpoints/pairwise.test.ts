import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomToken } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds, testDatabase } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type SignIn, UserAgent } from '../user_agent.ts';
import { put, type Registered, read, register, registered } from './registrar.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bob,
  bodyOf,
  claimsOf,
  codeOf,
  postAs,
  redeem,
  refresh,
  type Tokens,
  text,
  tokensFor,
  tokensOf,
  userinfo,
  webOf,
} from './relying_party.ts';

const certificates = `${import.meta.dir}/../workers/certificates`;
const [oldSecret, newSecret] = [randomToken(), randomToken()];

let provider: Provider;
let sector: { readonly url: (path: string) => string; readonly stop: () => Promise<void> };

const start = (environment: { readonly [name: string]: string }): Promise<Provider> =>
  startProvider({
    environment: {
      ...environment,
      LIMEN_SETTING_REGISTRATION: 'open',
      LIMEN_OUTBOUND_LOOPBACK: 'true',
      LIMEN_OUTBOUND_CA_FILE: `${certificates}/authority.pem`,
    },
  });

const [shop, blog] = ['https://shop.example/cb', 'https://blog.example/cb'];

const documents: { readonly [path: string]: () => Response } = {
  '/both': () => Response.json([shop, blog, 'https://unused.example/cb']),
  '/shop': () => Response.json([shop]),
  '/object': () => Response.json({ redirect_uris: [shop] }),
  '/text': () => new Response('shop'),
  '/moved': () => Response.redirect('/both', 302),
  '/gone': () => new Response(null, { status: 404 }),
};

function startSector(): typeof sector {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert: Bun.file(`${certificates}/address.pem`), key: Bun.file(`${certificates}/address.key.pem`) },
    fetch: (request) => documents[new URL(request.url).pathname]?.() ?? new Response(null, { status: 404 }),
  });
  return { url: (path) => `https://127.0.0.1:${server.port}${path}`, stop: () => server.stop(true) };
}

beforeAll(async () => {
  sector = startSector();
  provider = await start({ LIMEN_SECRETS: oldSecret });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await provider.stop();
  await sector.stop();
});

const pairwise = (redirectUri: string, members: object = {}): Promise<Registered> =>
  registered(provider.issuer, {
    redirect_uris: [redirectUri],
    subject_type: 'pairwise',
    grant_types: ['authorization_code', 'refresh_token'],
    ...members,
  });

const subjectOf = ({ idToken }: Tokens): string => text(claimsOf(idToken), 'sub');
const subjectFor = async (party: Registered, user: SignIn): Promise<string> => subjectOf(await tokensFor(party, user));

describe('OIDC Core §8.1 pairwise subjects', () => {
  test("one name for ID token, access token, userinfo, introspection and refresh; and it is not the user's id", async () => {
    const party = await pairwise(shop);
    const tokens = await tokensFor(party, alice);
    const subject = subjectOf(tokens);
    expect(subject).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(claimsOf(tokens.accessToken)['sub']).toBe(subject);
    expect(await bodyOf(await userinfo(party, tokens.accessToken))).toMatchObject({ sub: subject });
    const refreshed = await tokensOf(await refresh(party, tokens.refreshToken));
    expect([subjectOf(refreshed), claimsOf(refreshed.accessToken)['sub']]).toEqual([subject, subject]);
    const introspect = async (by: Parameters<typeof postAs>[0], token: string) =>
      bodyOf(await postAs(by, '/introspect', { token }));
    const access = await introspect(webOf(provider), refreshed.accessToken);
    const own = await introspect(party, refreshed.refreshToken);
    expect([access, own]).toMatchObject([
      { active: true, sub: subject },
      { active: true, sub: subject },
    ]);
    expect([access, own].map((answer) => 'username' in answer)).toEqual([false, false]);
    const [row] = await provider.database.sql`SELECT id FROM users WHERE username = 'alice'`;
    const said = JSON.stringify([tokens.idToken, tokens.accessToken].map(claimsOf).concat([access, own]));
    expect(said).not.toContain(String(row?.['id']));
  });

  test('another host: another name; the same host: the same; another person: another', async () => {
    const [one, sister, other] = [await pairwise(shop), await pairwise('https://shop.example/2'), await pairwise(blog)];
    const names = [
      await subjectFor(one, alice),
      await subjectFor(sister, alice),
      await subjectFor(other, alice),
      await subjectFor(one, bob),
    ];
    expect(names[1]).toBe(names[0] ?? '');
    expect(new Set(names).size).toBe(3);
  });

  test("public clients beside them go on with the user's id", async () => {
    const [row] = await provider.database.sql`SELECT id FROM users WHERE username = 'alice'`;
    expect(subjectOf(await tokensFor(webOf(provider), alice))).toBe(String(row?.['id']));
  });

  test('id_token_hint and the sub claim are met by the person whom this client calls so', async () => {
    const party = await pairwise(shop);
    const agent = new UserAgent();
    const tokens = await tokensFor(party, alice, {}, agent);
    const errorOf = async (parameters: { readonly [name: string]: string }) => {
      const back = await agent.open(authorizeUrl(party, { prompt: 'none', ...parameters }));
      return back instanceof URL ? back.searchParams.get('error') : 'a page';
    };
    const claims = (sub: string) => JSON.stringify({ id_token: { sub: { value: sub } } });
    const bobs = await tokensFor(party, bob);
    expect(await errorOf({ id_token_hint: tokens.idToken })).toBeNull();
    expect(await errorOf({ claims: claims(subjectOf(tokens)) })).toBeNull();
    expect(await errorOf({ id_token_hint: bobs.idToken })).toBe('login_required');
    expect(await errorOf({ claims: claims(subjectOf(bobs)) })).toBe('login_required');
    expect(await errorOf({ id_token_hint: tokens.idToken, claims: claims(subjectOf(bobs)) })).toBe('login_required');
    const [row] = await provider.database.sql`SELECT id FROM users WHERE username = 'alice'`;
    expect(await errorOf({ claims: claims(String(row?.['id'])) })).toBe('login_required');
  });

  test('a hint lets the named person through the sign-in pages, and nobody else', async () => {
    const party = await pairwise(shop);
    const { idToken } = await tokensFor(party, alice);
    expect((await authorize(party, alice, { id_token_hint: idToken })).searchParams.get('error')).toBeNull();
    expect((await authorize(party, bob, { id_token_hint: idToken })).searchParams.get('error')).toBe('login_required');
  });
});

describe('OIDC Registration §5 sector_identifier_uri', () => {
  test('its host is the sector of clients on several hosts', async () => {
    const members = { redirect_uris: [shop, blog], sector_identifier_uri: sector.url('/both') };
    const [one, two] = [await pairwise(shop, members), await pairwise(blog, { ...members, redirect_uris: [blog] })];
    expect(one.document).toMatchObject(members);
    expect(await bodyOf(await read(one.uri, one.token))).toMatchObject(members);
    expect(await subjectFor(one, alice)).toBe(await subjectFor(two, alice));
    expect(await subjectFor(one, alice)).not.toBe(await subjectFor(await pairwise(shop), alice));
  });

  test.each(['/shop', '/object', '/text', '/moved', '/gone'])(
    '%s does not list both redirect URIs: 400 invalid_client_metadata',
    async (path) => {
      for (const subject_type of ['pairwise', 'public']) {
        const document = { redirect_uris: [shop, blog], subject_type, sector_identifier_uri: sector.url(path) };
        const response = await register(provider.issuer, document);
        expect(response.status).toBe(400);
        const answer = await bodyOf(response);
        expect(answer['error']).toBe('invalid_client_metadata');
        expect(answer['error_description']).toStartWith('sector_identifier_uri ');
      }
    },
  );

  test('a change of sector changes every name, so what was issued before ends', async () => {
    const party = await pairwise(shop);
    const before = await tokensFor(party, alice);
    const document = { client_id: party.clientId, redirect_uris: [shop], subject_type: 'pairwise' };
    const grants = { grant_types: ['authorization_code', 'refresh_token'] };
    const same = await put(party.uri, party.token, { ...document, ...grants, client_name: 'Shop' });
    expect(same.status).toBe(200);
    expect((await userinfo(party, before.accessToken)).status).toBe(200);
    const moved = { ...document, ...grants, sector_identifier_uri: sector.url('/shop') };
    expect((await put(party.uri, party.token, moved)).status).toBe(200);
    expect((await userinfo(party, before.accessToken)).status).toBe(401);
    expect((await refresh(party, before.refreshToken)).status).toBe(400);
    expect(await subjectFor(party, alice)).not.toBe(subjectOf(before));
  });
});

/** Another process on the database of the first one. */
async function besides(first: Provider, secrets: string): Promise<Provider> {
  const { url, drop } = await testDatabase();
  await drop();
  const [row] = await first.database.sql`SELECT current_database() AS name`;
  const theirs = new URL(url);
  theirs.pathname = `/${String(row?.['name'])}`;
  return start({ DATABASE_URL: theirs.href, LIMEN_SECRETS: secrets });
}

test("a new secret in front of the key ring changes nobody's name", async () => {
  const party = await pairwise(shop);
  const before = await subjectFor(party, alice);
  const code = codeOf(await authorize(party, bob));
  const rotated = await besides(provider, `${newSecret} ${oldSecret}`);
  try {
    const there = { ...party, issuer: rotated.issuer };
    expect(await subjectFor(there, alice)).toBe(before);
    expect((await redeem(there, code)).status).toBe(200);
  } finally {
    await rotated.stop();
  }
});
