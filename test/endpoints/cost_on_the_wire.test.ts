import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type DatabaseProxy, startDatabaseProxy } from '../faults/database_proxy.ts';
import { databaseUrlOf, type Process, placeOfDatabase, startProcess } from '../faults/process.ts';
import { type Provider, startProvider } from '../provider.ts';
import { callback, objectOf, type Parameters, redeemCode, requestOf, signedInAgent, textOf } from './run_browser.ts';

/** What the statements cost in the database's protocol: counted by what stands between. */

let provider: Provider;
let proxy: DatabaseProxy;
let process: Process;
const secrets = encodeBase64url(randomBytes(32));

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_SECRETS: secrets } });
  const place = await placeOfDatabase(provider);
  proxy = await startDatabaseProxy(place);
  process = await startProcess(provider, {
    secrets,
    databaseUrl: databaseUrlOf({ ...place, folder: proxy.folder }),
    // One for each path, so that the second time finds the connection of the first.
    environment: { LIMEN_DATABASE_CONNECTIONS: '3' },
  });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await process.stop();
  await proxy.close();
  await provider.stop();
});

const codeForm = (back: URL): Parameters => ({
  grant_type: 'authorization_code',
  code: back.searchParams.get('code') ?? '',
  redirect_uri: callback,
});

describe('on the wire', () => {
  const post = async (path: string, form: Parameters) => {
    const response = await process.fetch(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${btoa(`demo-web:${provider.secretOf('demo-web')}`)}`,
      },
      body: new URLSearchParams(form).toString(),
    });
    const body = objectOf(await response.json());
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    return body;
  };

  test('hot statements are parsed once per connection and then cost one round trip each', async () => {
    const { agent, back } = await signedInAgent(provider);
    const issued = await redeemCode(provider, back);
    let refreshToken = textOf(issued.body, 'refresh_token');
    const accessToken = textOf(issued.body, 'access_token');
    const cookie = [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const authorize = async () => {
      const response = await process.fetch(`/authorize?${new URLSearchParams(requestOf())}`, { headers: { cookie } });
      const location = new URL(response.headers.get('location') ?? '');
      expect(location.searchParams.get('code')).not.toBeNull();
      return location;
    };
    let next = await authorize();
    const hot: readonly (readonly [string, () => Promise<unknown>])[] = [
      [
        'UPDATE token_families',
        async () => {
          const answer = await post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken });
          refreshToken = textOf(answer, 'refresh_token');
        },
      ],
      [
        'INSERT INTO token_families',
        async () => {
          await post('/token', codeForm(next));
        },
      ],
      ['FROM token_families', () => post('/introspect', { token: accessToken })],
      ['from "sso_sessions"', authorize],
    ];
    for (const [text, work] of hot) {
      proxy.reset();
      await work();
      const first = proxy.roundTrips().filter(({ statement }) => statement.includes(text));
      expect([text, first.map(({ messages }) => messages)]).toEqual([text, expect.arrayContaining(['BES'])]);
      for (let time = 0; time < 3; time += 1) {
        if (text.startsWith('INSERT')) next = await authorize();
        proxy.reset();
        await work();
        expect(proxy.roundTrips().map(({ messages, statement }) => [messages, statement.includes(text)])).toEqual([
          ['BES', true],
        ]);
      }
    }
  });
});
