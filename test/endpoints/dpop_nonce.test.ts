import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type ProofMaker, proofMaker } from '../oidc/dpop_proof.ts';
import { type Provider, startProvider } from '../provider.ts';
import { codeFields, tokenProof, tokenRequest, userinfoProof, userinfoWith } from './dpop_party.ts';
import { sendRaw } from './raw_http.ts';
import { alice, authorize, bodyOf, type Party, spaOf, tokensOf, userinfo, webOf } from './relying_party.ts';

/** RFC 9449 §8, §9: where the realm demands a nonce. */

let provider: Provider;
let key: ProofMaker;
let spa: Party;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_SETTING_DPOP_NONCE: 'required' } });
  key = await proofMaker();
  spa = spaOf(provider);
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const nonceOf = ({ headers }: Response): string => headers.get('dpop-nonce') ?? '';
const form = { grant_type: 'client_credentials' };
const serviceOf = (): Party => ({
  ...webOf(provider),
  clientId: 'demo-service',
  secret: provider.secretOf('demo-service'),
});

describe('the token endpoint', () => {
  test('a proof without a nonce: use_dpop_nonce with one, and with that the same request is served', async () => {
    const fields = codeFields(spa, await authorize(spa, alice));
    const refused = await tokenRequest(spa, fields, tokenProof(key, spa));
    expect(refused.status).toBe(400);
    expect((await bodyOf(refused))['error']).toBe('use_dpop_nonce');
    const served = await tokenRequest(spa, fields, tokenProof(key, spa, { nonce: nonceOf(refused) }));
    expect(served.status).toBe(200);
    expect(nonceOf(served)).not.toBe('');
  });

  test('exactly one DPoP-Nonce header, without a space or a comma', async () => {
    const service = serviceOf();
    const answer = await sendRaw(provider.issuer, {
      method: 'POST',
      target: '/token',
      headers: [
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ['Authorization', `Basic ${btoa(`${service.clientId}:${service.secret}`)}`],
        ['DPoP', await tokenProof(key, service)],
      ],
      body: 'grant_type=client_credentials',
    });
    expect(answer.headers['dpop-nonce']).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{32}$/)]);
  });

  test('a nonce is good again and again for a while, then no more; each answer brings one that is good', async () => {
    const service = serviceOf();
    const nonce = nonceOf(await tokenRequest(service, form, tokenProof(key, service)));
    const send = (value: string) => tokenRequest(service, form, tokenProof(key, service, { nonce: value }));
    expect([(await send(nonce)).status, (await send(nonce)).status]).toEqual([200, 200]);
    const later = await isDated(() => send(nonce), 300);
    expect((await bodyOf(later))['error']).toBe('use_dpop_nonce');
  }, 20_000);

  test('one of another server is none', async () => {
    const service = serviceOf();
    const refused = await tokenRequest(service, form, tokenProof(key, service, { nonce: 'A'.repeat(32) }));
    expect((await bodyOf(refused))['error']).toBe('use_dpop_nonce');
  });

  test('a bearer client is not bothered', async () => {
    expect((await tokenRequest(serviceOf(), form, null)).status).toBe(200);
  });
});

/** With both clocks moved ahead, the proof's too: only the nonce gets old. */
async function isDated(send: () => Promise<Response>, seconds: number): Promise<Response> {
  await provider.shiftClock(seconds);
  const { prove } = key;
  key = {
    ...key,
    prove: (claims, header) => prove({ iat: Math.floor(Date.now() / 1000) + seconds, ...claims }, header),
  };
  return send();
}

describe('userinfo', () => {
  test('a proof without a nonce: 401 with challenge and nonce, and with that it is served', async () => {
    const first = await tokenRequest(spa, codeFields(spa, await authorize(spa, alice)), null);
    const bearer = await tokensOf(first);
    expect((await userinfo(spa, bearer.accessToken)).status).toBe(200);
    const nonce = nonceOf(first);
    const fields = codeFields(spa, await authorize(spa, alice));
    const { accessToken } = await tokensOf(await tokenRequest(spa, fields, tokenProof(key, spa, { nonce })));
    const refused = await userinfoWith(spa, accessToken, userinfoProof(key, spa, accessToken));
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toStartWith('DPoP error="use_dpop_nonce"');
    const proof = userinfoProof(key, spa, accessToken, { nonce: nonceOf(refused) });
    const served = await userinfoWith(spa, accessToken, proof);
    expect(served.status).toBe(200);
    expect(nonceOf(served)).not.toBe('');
  });

  test('a page of another origin may read the nonce and the challenge (Fetch §3.3.4)', async () => {
    const response = await fetch(`${spa.issuer}/userinfo`, { headers: { origin: 'https://app.example' } });
    const exposed = response.headers.get('access-control-expose-headers')?.split(', ') ?? [];
    expect(exposed).toEqual(expect.arrayContaining(['dpop-nonce', 'www-authenticate']));
  });
});
