import { brandId, type RealmId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import type { Override } from '../../src/core/overrides.ts';
import { Secret } from '../../src/core/secret.ts';
import { createRealms } from '../../src/store/realms.ts';
import { createRegistrationTokens } from '../../src/store/registration_tokens.ts';
import type { Provider } from '../provider.ts';
import { type Body, bodyOf, fail, type Party, text } from './relying_party.ts';

/** Registration over HTTP as a test uses it. */

export const rpCallback = 'https://rp.example/callback';

export const register = (issuer: string, document: unknown, headers: { readonly [name: string]: string } = {}) =>
  fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(document),
  });

export type Registered = Party & {
  readonly uri: string;
  readonly token: string;
  readonly document: Body;
};

/** A client that registered itself with these members beside its redirect URI. */
export async function registered(
  issuer: string,
  members: Body = {},
  headers: { readonly [name: string]: string } = {},
): Promise<Registered> {
  const response = await register(issuer, { redirect_uris: [rpCallback], ...members }, headers);
  const document = await bodyOf(response);
  if (response.status !== 201) fail(JSON.stringify(document));
  const uris = document['redirect_uris'];
  const secret = document['client_secret'];
  return {
    issuer,
    clientId: text(document, 'client_id'),
    secret: typeof secret === 'string' ? secret : null,
    redirectUri: Array.isArray(uris) && typeof uris[0] === 'string' ? uris[0] : rpCallback,
    uri: text(document, 'registration_client_uri'),
    token: text(document, 'registration_access_token'),
    document,
  };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export const read = (uri: string, token: string): Promise<Response> => fetch(uri, { headers: bearer(token) });

export const put = (uri: string, token: string, document: unknown): Promise<Response> =>
  fetch(uri, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...bearer(token) },
    body: JSON.stringify(document),
  });

export const remove = (uri: string, token: string): Promise<Response> =>
  fetch(uri, { method: 'DELETE', headers: bearer(token) });

export async function realmIdOf({ database }: Provider, slug: string): Promise<RealmId> {
  const [row] = await database.sql`SELECT id FROM realms WHERE slug = ${slug}`;
  return brandId<RealmId>(String(row?.['id'] ?? fail(`no realm ${slug}`)));
}

/** In force when it returns. */
export async function setRealm(
  { database }: Provider,
  slug: string,
  overrides: { readonly [key: string]: Override | null },
): Promise<void> {
  const ring = new KeyRing([new Secret<Uint8Array>(Buffer.alloc(32))]);
  const updated = await createRealms(database, { ring, system: {} }).update(slug, { overrides }, Date.now());
  if (!updated.ok) fail(JSON.stringify(updated.error));
  await Bun.sleep(1200);
}

export async function initialToken(
  provider: Provider,
  slug: string,
  { uses = 1, lifetimeSeconds = 3600 }: { readonly uses?: number | null; readonly lifetimeSeconds?: number } = {},
): Promise<string> {
  const realmId = await realmIdOf(provider, slug);
  const tokens = createRegistrationTokens(provider.database);
  return (await tokens.create({ realmId, note: 'test', uses, lifetimeSeconds })).token.reveal();
}
