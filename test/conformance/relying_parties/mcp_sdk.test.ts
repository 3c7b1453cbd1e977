import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { databaseTimeoutMilliseconds } from '../../database.ts';
import { type DocumentHost, startDocumentHost, trustsDocumentHosts } from '../../endpoints/document_host.ts';
import { setRealm } from '../../endpoints/registrar.ts';
import { authorize, bodyOf, codeOf, type Parameters, redeem, text } from '../../endpoints/relying_party.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { type SignIn, signIn, UserAgent } from '../../user_agent.ts';
import { type ProtectedServer, scope, startProtectedServer } from './mcp_server.ts';
import { alice } from './registered_client.ts';

/**
 * Model Context Protocol authorization (2025-11-25, 2026-07-28), by the client and the server of its TypeScript SDK: from
 * a server's 401 over its protected resource metadata to tokens for it alone, and on by refreshing.
 */

let provider: Provider;
let host: DocumentHost;
let server: ProtectedServer;
/** The realm that the server sends its clients to. */
let issuer = '';

beforeAll(async () => {
  host = startDocumentHost();
  provider = await startProvider({ environment: trustsDocumentHosts });
  server = startProtectedServer(() => issuer);
  const open = {
    registrationResources: { value: server.url, reason: 'agents' },
    registrationScopes: { value: `${scope} offline_access` },
  };
  await setRealm(provider, 'main', { ...open, clientIdMetadataDocuments: { value: true, reason: 'agents' } });
  await setRealm(provider, 'acme', { ...open, registration: { value: 'open', reason: 'agents' } });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await server.stop();
  await provider.stop();
  await host.stop();
});

const redirectUrl = 'http://127.0.0.1:49321/callback';

/** What an agent keeps between requests, and the browser that it opens. */
class Agent implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl;
  readonly clientMetadata = {
    client_name: 'Example agent',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };
  readonly clientMetadataUrl?: string;
  readonly opened: URL[] = [];
  #information: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';

  constructor(clientMetadataUrl: string | null) {
    if (clientMetadataUrl !== null) this.clientMetadataUrl = clientMetadataUrl;
  }

  clientInformation = () => this.#information;
  tokens = () => this.#tokens;
  codeVerifier = () => this.#verifier;

  saveClientInformation(information: OAuthClientInformationMixed): void {
    this.#information = information;
  }
  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
  redirectToAuthorization(url: URL): void {
    this.opened.push(url);
  }
  invalidateCredentials(): void {
    this.#tokens = undefined;
    this.#information = undefined;
  }
}

const transportOf = (agent: Agent) => new StreamableHTTPClientTransport(new URL(server.url), { authProvider: agent });

async function connect(agent: Agent): Promise<Client> {
  const client = new Client({ name: 'agent', version: '1.0.0' });
  await client.connect(transportOf(agent));
  return client;
}

/** The first connection ends at the browser; what it comes back with is given to the SDK. */
async function signInThrough(agent: Agent, who: SignIn): Promise<void> {
  const transport = transportOf(agent);
  const client = new Client({ name: 'agent', version: '1.0.0' });
  await expect(client.connect(transport)).rejects.toBeInstanceOf(UnauthorizedError);
  const back = await signIn(new UserAgent(), agent.opened.at(-1)?.href ?? '', who);
  expect(back.origin + back.pathname).toBe(redirectUrl);
  await transport.finishAuth(back.searchParams.get('code') ?? '');
}

async function whoami(client: Client): Promise<unknown> {
  const { content } = await client.callTool({ name: 'whoami' });
  const [first] = Array.isArray(content) ? content : [];
  return JSON.parse(first?.text ?? 'null');
}

const audienceOf = (tokens: OAuthTokens | undefined): unknown =>
  JSON.parse(Buffer.from(tokens?.access_token.split('.')[1] ?? '', 'base64url').toString()).aud;

const carol = { username: 'carol', password: 'carol-in-the-demo' };

describe.each([
  {
    way: 'a Client ID Metadata Document, at the default realm',
    realm: '',
    who: alice,
    start: () => new Agent(host.describe('/agent.json')),
    nameOf: (agent: Agent) => agent.clientMetadataUrl,
  },
  {
    way: 'dynamic registration, at a realm whose issuer has a path',
    realm: '/realms/acme',
    who: carol,
    start: () => new Agent(null),
    nameOf: (agent: Agent) => agent.clientInformation()?.client_id,
  },
])('$way', ({ realm, who, start, nameOf }) => {
  test('the SDK discovers, signs in, calls a tool, and refreshes without anybody', async () => {
    issuer = provider.issuer + realm;
    const agent = start();
    await signInThrough(agent, who);
    const asked = agent.opened[0]?.searchParams;
    expect(agent.opened[0]?.href).toStartWith(`${issuer}/authorize?`);
    expect([asked?.get('resource'), asked?.get('code_challenge_method')]).toEqual([server.url, 'S256']);
    expect(audienceOf(agent.tokens())).toBe(server.url);

    const client = await connect(agent);
    const first = await whoami(client);
    expect(first).toEqual({ sub: expect.any(String), clientId: nameOf(agent) });
    expect(agent.clientInformation()?.client_id).toBe(nameOf(agent) ?? '');

    const before = agent.tokens();
    const expiry = 11 * 60;
    server.shiftClock(expiry);
    await provider.shiftClock(expiry);
    const refused = server.challenges.length;
    expect(await whoami(client)).toEqual(first);
    expect(server.challenges.slice(refused)).toContain('invalid_token');
    expect(agent.tokens()?.access_token).not.toBe(before?.access_token);
    expect(agent.tokens()?.refresh_token).not.toBe(before?.refresh_token);
    expect(audienceOf(agent.tokens())).toBe(server.url);
    expect(agent.opened).toHaveLength(1);
    await client.close();
  });
});

describe('a token', () => {
  test('that was not asked for with the server as its resource does not open it', async () => {
    issuer = provider.issuer;
    const agent = { issuer, clientId: host.describe('/other.json'), secret: null, redirectUri: redirectUrl };
    const tokenFor = async (parameters: Parameters): Promise<string> => {
      const back = await authorize(agent, alice, { scope, ...parameters });
      return text(await bodyOf(await redeem(agent, codeOf(back))), 'access_token');
    };
    const statusWith = async (token: string): Promise<number> => {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      };
      return (await fetch(server.url, { method: 'POST', headers, body: JSON.stringify(message) })).status;
    };
    expect(await statusWith(await tokenFor({ resource: server.url }))).toBe(200);
    expect(await statusWith(await tokenFor({}))).toBe(401);
    const other = await authorize(agent, alice, { scope, resource: `${server.url}/other` }, new UserAgent());
    expect(other.searchParams.get('error')).toBe('invalid_target');
  });
});

describe('an outage of the agent’s host', () => {
  test('leaves the SDK its tokens: it refreshes when the host is back', async () => {
    issuer = provider.issuer;
    const agent = new Agent(host.describe('/outage.json', {}, { 'cache-control': 'max-age=60' }));
    await signInThrough(agent, alice);
    const before = agent.tokens();
    await provider.restart();
    host.serve('/outage.json', () => new Response(null, { status: 503 }));
    server.shiftClock(11 * 60);
    await provider.shiftClock(11 * 60);
    await expect(connect(agent)).rejects.toThrow();
    expect(agent.tokens()).toEqual(before);
    expect(agent.opened).toHaveLength(1);
    host.describe('/outage.json');
    await provider.shiftClock(10);
    const client = await connect(agent);
    expect(await whoami(client)).toMatchObject({ clientId: host.url('/outage.json') });
    expect(agent.opened).toHaveLength(1);
    await client.close();
  });
});
