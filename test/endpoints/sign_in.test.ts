import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { signIn, UserAgent } from '../user_agent.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const authorizeUrl = (parameters: { readonly [name: string]: string } = {}): string =>
  `${provider.issuer}/authorize?${new URLSearchParams({
    client_id: 'demo-web',
    redirect_uri: 'http://127.0.0.1:4020/callback',
    response_type: 'code',
    scope: 'openid profile',
    state: 'a state',
    nonce: 'a nonce',
    ...parameters,
  })}`;

const alice = { username: 'alice', password: 'alice-in-the-demo' };

describe('signing in by the browser', () => {
  test('name, password and consent end at the client with code, state and iss', async () => {
    const back = await signIn(new UserAgent(), authorizeUrl(), alice);
    expect(back.origin + back.pathname).toBe('http://127.0.0.1:4020/callback');
    expect(back.searchParams.get('state')).toBe('a state');
    expect(back.searchParams.get('iss')).toBe(provider.issuer);
    expect(back.searchParams.get('code')).not.toBeNull();
  });

  test('a second time nothing is asked', async () => {
    const agent = new UserAgent();
    await signIn(agent, authorizeUrl(), alice);
    const back = await agent.open(authorizeUrl({ prompt: 'none' }));
    expect(back).toBeInstanceOf(URL);
    expect(back instanceof URL && back.searchParams.get('code')).toBeTruthy();
  });
});
