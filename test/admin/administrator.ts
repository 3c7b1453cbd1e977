import { randomToken } from '../../src/core/crypto.ts';
import type { NewClient } from '../../src/store/clients.ts';
import { limen } from '../cli/terminal.ts';
import { register } from '../endpoints/operator.ts';
import { bodyOf, fail, type Parameters, type Party, postAs, text } from '../endpoints/relying_party.ts';
import type { Provider } from '../provider.ts';

/** What a test does as an administrator: by the command line, and by the API with a token. */

export const apiOf = ({ issuer }: Provider): string => `${issuer}/admin/api/v1`;

export const environmentOf = ({ databaseUrl }: Provider) => ({
  DATABASE_URL: databaseUrl,
  // Nothing of what these commands do opens or seals anything.
  LIMEN_SECRETS: randomToken(),
});

/** A command on the provider's own database; fails the test unless it succeeds. */
export async function command(provider: Provider, ...argv: string[]): Promise<string> {
  const ran = await limen(argv, environmentOf(provider));
  return ran.code === 0 ? ran.out : fail(ran.err);
}

/** A client that acts for itself. */
export const service = (provider: Provider, clientId: string, more: Partial<NewClient> = {}): Promise<Party> =>
  register(provider, clientId, {
    redirectUris: [],
    grantTypes: ['client_credentials'],
    responseTypes: [],
    scope: ['anything'],
    resources: [apiOf(provider)],
    ...more,
  });

export async function tokenOf(party: Party, fields: Parameters = {}): Promise<string> {
  return text(
    await bodyOf(await postAs(party, '/token', { grant_type: 'client_credentials', ...fields })),
    'access_token',
  );
}

export type Called = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly [member: string]: unknown };
};

export async function call(
  provider: Provider,
  method: string,
  path: string,
  token: string | null,
  body?: unknown,
): Promise<Called> {
  const answer = await fetch(apiOf(provider) + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: await bodyOf(answer) };
}
