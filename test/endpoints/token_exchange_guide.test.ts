import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { limen } from '../cli/terminal.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { alice, bodyOf, claimsOf, membersOf, post, redirectUri, text, tokensFor } from './relying_party.ts';

/** docs/guides/token-exchange.md, as an operator and a developer would follow it. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const guide = readFileSync(`${import.meta.dir}/../../docs/guides/token-exchange.md`, 'utf8');
const blocks = (language: string): readonly string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block = '']) => block);
const commands = (program: string): readonly (readonly string[])[] =>
  blocks('sh')
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.startsWith(`${program} `))
    .map((line) => [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', '')).slice(1));

const operate = async (argv: readonly string[]) => {
  const { code, out, err } = await limen([...argv, '--json'], provider.environment);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return membersOf(JSON.parse(out));
};

/** What `curl -u … -d …` would send, the shell's variables filled in. */
function curl(words: readonly string[], variables: { readonly [name: string]: string }): Promise<Response> {
  const filled = words.map((word) => word.replaceAll(/\$([A-Z_]+)/g, (_, name: string) => variables[name] ?? ''));
  const after = (option: string) => filled.filter((_, at) => filled[at - 1] === option);
  const fields = Object.fromEntries(after('-d').map((field) => [field.split('=', 1)[0], field.replace(/^[^=]*=/, '')]));
  const url = (filled[0] ?? '').replace('https://id.example.com', provider.issuer);
  return post(url, fields, { authorization: `Basic ${btoa(after('-u')[0] ?? '')}` });
}

test('its commands and requests do what it says', async () => {
  const made = await operate(['client', 'create', 'shop', '--class', 'confidential', '--redirect-uri', redirectUri]);
  const results = [];
  for (const argv of commands('limen')) results.push(await operate(argv));
  const GATEWAY_SECRET = text(membersOf(results.find((result) => 'client_secret' in result)), 'client_secret');
  const shop = { issuer: provider.issuer, clientId: 'shop', secret: text(made, 'client_secret'), redirectUri };
  const { accessToken: SHOP_TOKEN } = await tokensFor(shop, alice, { scope: 'openid orders' });

  const [forItself = [], exchange = []] = commands('curl');
  const own = await bodyOf(await curl(forItself, { GATEWAY_SECRET }));
  const GATEWAY_TOKEN = text(own, 'access_token');
  const answer = await curl(exchange, { GATEWAY_SECRET, SHOP_TOKEN, GATEWAY_TOKEN });
  const body = await bodyOf(answer);
  const [shown = '{}'] = blocks('json');
  expect(Object.keys(body).toSorted()).toEqual(Object.keys(JSON.parse(shown)).toSorted());
  expect(body).toMatchObject({
    ...membersOf(JSON.parse(shown)),
    access_token: body['access_token'],
    expires_in: expect.any(Number),
  });
  expect(claimsOf(text(body, 'access_token'))).toMatchObject({
    sub: claimsOf(SHOP_TOKEN)['sub'],
    client_id: 'gateway',
    aud: 'https://orders.example',
    act: { sub: 'gateway' },
    auth_time: expect.any(Number),
    acr: expect.any(String),
  });
});
