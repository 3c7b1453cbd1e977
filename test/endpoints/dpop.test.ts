import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { systemClock, toNumericDate } from '../../src/core/time.ts';
import { dpopAlgorithms } from '../../src/oidc/dpop.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { athOf, type ProofMaker, proofMaker } from '../oidc/dpop_proof.ts';
import { type Provider, startProvider } from '../provider.ts';
import {
  codeFields,
  proofFor,
  redeemWith,
  refreshFields,
  tokenProof,
  tokenRequest,
  userinfoProof,
  userinfoWith,
} from './dpop_party.ts';
import { register } from './operator.ts';
import { sendRaw } from './raw_http.ts';
import {
  alice,
  authorize,
  bodyOf,
  claimsOf,
  type Party,
  postAs,
  redeem,
  refresh,
  spaOf,
  text,
  tokensOf,
  userinfo,
  webOf,
} from './relying_party.ts';

let provider: Provider;
let key: ProofMaker;
let other: ProofMaker;
let spa: Party;
let web: Party;
let service: Party;
let strict: Party;
let unaware: Party;

beforeAll(async () => {
  provider = await startProvider();
  [key, other] = [await proofMaker(), await proofMaker('EdDSA')];
  spa = spaOf(provider);
  web = webOf(provider);
  service = { ...web, clientId: 'demo-service', secret: provider.secretOf('demo-service') };
  strict = await register(provider, 'strict', { metadata: { dpop_bound_access_tokens: true } });
  const reason = 'its library cannot';
  unaware = await register(provider, 'unaware', { overrides: { dpop: { value: 'off', reason } } });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const outcome = async (response: Response) => ({ status: response.status, error: (await bodyOf(response))['error'] });
const invalidProof = { status: 400, error: 'invalid_dpop_proof' };
const invalidGrant = { status: 400, error: 'invalid_grant' };

const boundTokens = async (party: Party, by: ProofMaker = key) => tokensOf(await redeemWith(party, alice, by));

describe('RFC 9449 §5: the token endpoint', () => {
  test('a code with a proof: a token of the type DPoP, bound to the key', async () => {
    for (const party of [spa, web]) {
      const body = await bodyOf(await redeemWith(party, alice, key));
      expect(body['token_type']).toBe('DPoP');
      expect(claimsOf(text(body, 'access_token'))['cnf']).toEqual({ jkt: key.thumbprint });
      expect(claimsOf(text(body, 'id_token'))['cnf']).toBeUndefined();
    }
  });

  test('without a proof: a bearer token', async () => {
    const body = await bodyOf(await redeem(web, codeFields(web, await authorize(web, alice))['code'] ?? ''));
    expect(body['token_type']).toBe('Bearer');
    expect(claimsOf(text(body, 'access_token'))['cnf']).toBeUndefined();
  });

  test('client_credentials with a proof: bound', async () => {
    const body = await bodyOf(
      await tokenRequest(service, { grant_type: 'client_credentials' }, tokenProof(other, service)),
    );
    expect(body['token_type']).toBe('DPoP');
    expect(claimsOf(text(body, 'access_token'))['cnf']).toEqual({ jkt: other.thumbprint });
  });

  test('a proof that does not hold: 400 invalid_dpop_proof, and the code is still good', async () => {
    const fields = codeFields(web, await authorize(web, alice));
    const now = toNumericDate(systemClock());
    for (const more of [
      { htm: 'GET' },
      { htu: `${web.issuer}/userinfo` },
      { htu: 'http://localhost/token' },
      { iat: now - 3600 },
      { iat: now + 3600 },
      { jti: undefined },
    ]) {
      expect(await outcome(await tokenRequest(web, fields, tokenProof(key, web, more)))).toEqual(invalidProof);
    }
    expect(await outcome(await tokenRequest(web, fields, 'garbage'))).toEqual(invalidProof);
    expect((await tokenRequest(web, fields, tokenProof(key, web, { iat: now - 10 }))).status).toBe(200);
  });

  test('two DPoP headers are not one', async () => {
    const body = new URLSearchParams({ grant_type: 'client_credentials' }).toString();
    const send = async (...proofs: readonly string[]) =>
      sendRaw(provider.issuer, {
        method: 'POST',
        target: '/token',
        headers: [
          ['Content-Type', 'application/x-www-form-urlencoded'],
          ['Authorization', `Basic ${btoa(`demo-service:${service.secret}`)}`],
          ...proofs.map((proof) => ['DPOP', proof] as const),
        ],
        body,
      });
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => tokenProof(key, service)));
    const refused = await send(one ?? '', two ?? '');
    expect({ status: refused.status, error: JSON.parse(refused.body).error }).toEqual(invalidProof);
    expect(JSON.parse((await send(three ?? '')).body).token_type).toBe('DPoP');
  });

  test('a failed client authentication is told before a proof is looked at', async () => {
    const stranger = { ...web, secret: 'wrong' };
    const response = await tokenRequest(stranger, { grant_type: 'client_credentials' }, 'garbage');
    expect(await outcome(response)).toEqual({ status: 401, error: 'invalid_client' });
  });

  test('a realm beside has an address of its own', async () => {
    const acme = { ...web, issuer: `${web.issuer}/realms/acme`, clientId: 'acme-web' };
    const party = { ...acme, secret: provider.secretOf('acme-web', 'acme') };
    const unknownCode = { grant_type: 'authorization_code', code: 'x', redirect_uri: party.redirectUri };
    expect(await outcome(await tokenRequest(party, unknownCode, tokenProof(key, web)))).toEqual(invalidProof);
    expect(await outcome(await tokenRequest(party, unknownCode, tokenProof(key, party)))).toEqual(invalidGrant);
  });
});

describe('RFC 9449 §5: refresh tokens', () => {
  test('of a public client need a proof by the same key', async () => {
    const { refreshToken } = await boundTokens(spa);
    const fields = refreshFields(refreshToken);
    expect(await outcome(await tokenRequest(spa, fields, null))).toEqual(invalidGrant);
    expect(await outcome(await tokenRequest(spa, fields, tokenProof(other, spa)))).toEqual(invalidGrant);
    const body = await bodyOf(await tokenRequest(spa, fields, tokenProof(key, spa)));
    expect(body['token_type']).toBe('DPoP');
    expect(claimsOf(text(body, 'access_token'))['cnf']).toEqual({ jkt: key.thumbprint });
  });

  test('of a confidential client may come with a new key: the new token is bound to it', async () => {
    const { refreshToken } = await boundTokens(web);
    const body = await bodyOf(await tokenRequest(web, refreshFields(refreshToken), tokenProof(other, web)));
    expect(claimsOf(text(body, 'access_token'))['cnf']).toEqual({ jkt: other.thumbprint });
    const bearer = await bodyOf(await refresh(web, text(body, 'refresh_token')));
    expect(bearer['token_type']).toBe('Bearer');
  });

  test('the parent of a bound one gets its heir long after the leeway', async () => {
    const { refreshToken } = await boundTokens(spa);
    const turn = async () =>
      (await tokensOf(await tokenRequest(spa, refreshFields(refreshToken), tokenProof(key, spa)))).refreshToken;
    const heir = await turn();
    await provider.database.sql`UPDATE token_families SET rotated_at = rotated_at - interval '1 hour'`;
    expect(await turn()).toBe(heir);
  });
});

describe('RFC 9449 §10: dpop_jkt', () => {
  test('binds the code to the key', async () => {
    for (const party of [spa, web]) {
      const named = () => authorize(party, alice, { dpop_jkt: key.thumbprint });
      const fields = codeFields(party, await named());
      expect(await outcome(await tokenRequest(party, fields, tokenProof(other, party)))).toEqual(invalidGrant);
      expect(await outcome(await tokenRequest(party, fields, null))).toEqual(invalidGrant);
      expect((await tokenRequest(party, fields, tokenProof(key, party))).status).toBe(200);
    }
  });

  test('that is no thumbprint: the client is told', async () => {
    const url = new URL(`${web.issuer}/authorize`);
    url.search = new URLSearchParams({
      client_id: web.clientId,
      redirect_uri: web.redirectUri,
      response_type: 'code',
      scope: 'openid',
      dpop_jkt: 'x',
    }).toString();
    const response = await fetch(url, { redirect: 'manual' });
    const back = new URL(response.headers.get('location') ?? '');
    expect(back.searchParams.get('error')).toBe('invalid_request');
  });
});

describe('the policy of a client', () => {
  test('dpop_bound_access_tokens: no token without a proof, and the code is not consumed', async () => {
    const fields = codeFields(strict, await authorize(strict, alice));
    expect(await outcome(await tokenRequest(strict, fields, null))).toEqual(invalidProof);
    const tokens = await tokensOf(await tokenRequest(strict, fields, tokenProof(key, strict)));
    expect(await outcome(await tokenRequest(strict, refreshFields(tokens.refreshToken), null))).toEqual(invalidProof);
  });

  test('off: the header means nothing, and token_type says so', async () => {
    const fields = codeFields(unaware, await authorize(unaware, alice));
    const body = await bodyOf(await tokenRequest(unaware, fields, 'garbage'));
    expect(body['token_type']).toBe('Bearer');
  });
});

describe('RFC 9449 §11.1: a proof counts once', () => {
  test('the same one to a second request: invalid_dpop_proof, and the second code is still good', async () => {
    const [first, second] = [
      codeFields(web, await authorize(web, alice)),
      codeFields(web, await authorize(web, alice)),
    ];
    const proof = await tokenProof(key, web);
    expect((await tokenRequest(web, first, proof)).status).toBe(200);
    expect(await outcome(await tokenRequest(web, second, proof))).toEqual(invalidProof);
    expect((await tokenRequest(web, second, tokenProof(key, web))).status).toBe(200);
  });

  test('the same jti by another key is another proof', async () => {
    const fields = { grant_type: 'client_credentials' };
    const claims = { jti: 'shared', iat: Math.floor(Date.now() / 1000) };
    const send = async (by: ProofMaker) => tokenRequest(service, fields, await tokenProof(by, service, claims));
    expect([(await send(key)).status, (await send(other)).status, (await send(key)).status]).toEqual([200, 200, 400]);
  });

  test.each([
    ['client_credentials', async () => [service, { grant_type: 'client_credentials' }] as const],
    ['a code', async () => [web, codeFields(web, await authorize(web, alice))] as const],
    ['a refresh token', async () => [spa, refreshFields((await boundTokens(spa)).refreshToken)] as const],
  ])('of 50 requests at once with one proof, by %s: one success', async (_, prepare) => {
    const [party, fields] = await prepare();
    const proof = await tokenProof(key, party);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => outcome(await tokenRequest(party, fields, proof))),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ error }) => error === 'invalid_dpop_proof')).toHaveLength(49);
  });

  test('refused for something else it may be sent again', async () => {
    const proof = await tokenProof(key, service);
    const fields = { grant_type: 'client_credentials', scope: 'nonsense' };
    expect(await outcome(await tokenRequest(service, fields, proof))).toEqual({ status: 400, error: 'invalid_scope' });
    expect((await tokenRequest(service, { grant_type: 'client_credentials' }, proof)).status).toBe(200);
  });
});

describe('RFC 9449 §7: userinfo', () => {
  let accessToken: string;
  beforeAll(async () => {
    ({ accessToken } = await boundTokens(spa));
  });

  const challengeOf = ({ headers }: Response): string => headers.get('www-authenticate') ?? '';

  test.each(['DPoP', 'dpop', 'DPOP'])('a proof by the key, under the scheme %s', async (scheme) => {
    const response = await userinfoWith(spa, accessToken, userinfoProof(key, spa, accessToken), scheme);
    expect(response.status).toBe(200);
    expect((await bodyOf(response))['sub']).toBe(claimsOf(accessToken)['sub']);
  });

  test('by POST', async () => {
    const dpop = await proofFor(key, spa, '/userinfo', 'POST', { ath: athOf(accessToken) });
    const headers = { authorization: `DPoP ${accessToken}`, dpop };
    expect((await fetch(`${spa.issuer}/userinfo`, { method: 'POST', headers })).status).toBe(200);
  });

  const refusals: readonly (readonly [string, () => Promise<Response>, string])[] = [
    ['no proof', () => userinfoWith(spa, accessToken, null), 'invalid_dpop_proof'],
    ['garbage', () => userinfoWith(spa, accessToken, 'a.b.c'), 'invalid_dpop_proof'],
    [
      'a proof by another key',
      () => userinfoWith(spa, accessToken, userinfoProof(other, spa, accessToken)),
      'invalid_token',
    ],
    ['a proof for another method', () => shown({ htm: 'POST' }), 'invalid_dpop_proof'],
    ['a proof for another address', () => shown({ htu: `${spa.issuer}/token` }), 'invalid_dpop_proof'],
    ['a proof without ath', () => shown({ ath: undefined }), 'invalid_dpop_proof'],
    ['a proof for another token', () => shown({ ath: athOf('another') }), 'invalid_dpop_proof'],
    ['a proof of an hour ago', () => shown({ iat: toNumericDate(systemClock()) - 3600 }), 'invalid_dpop_proof'],
    ['a token that is none', () => userinfoWith(spa, 'nonsense', userinfoProof(key, spa, 'nonsense')), 'invalid_token'],
  ];
  const shown = (more: object) => userinfoWith(spa, accessToken, userinfoProof(key, spa, accessToken, { ...more }));

  test.each(refusals)('%s: 401, with the challenge that says what is taken', async (_, send, error) => {
    const response = await send();
    expect(response.status).toBe(401);
    expect(challengeOf(response)).toStartWith(`DPoP error="${error}", error_description="`);
    expect(challengeOf(response)).toEndWith(`algs="${dpopAlgorithms.join(' ')}"`);
    expect((await bodyOf(response))['error']).toBe(error);
  });

  test('as a bearer token it is refused, with a proof and without one', async () => {
    for (const proof of [null, userinfoProof(key, spa, accessToken)]) {
      const response = await userinfoWith(spa, accessToken, proof, 'Bearer');
      expect(response.status).toBe(401);
      expect(challengeOf(response)).toMatch(/^Bearer realm="[^"]+", error="invalid_token", .*, DPoP algs="[^"]+"$/);
    }
    const inBody = new URLSearchParams({ access_token: accessToken });
    expect((await fetch(`${spa.issuer}/userinfo`, { method: 'POST', body: inBody })).status).toBe(401);
  });

  test('an unbound token is no DPoP token', async () => {
    const bearer = (await tokensOf(await redeem(spa, codeFields(spa, await authorize(spa, alice))['code'] ?? '')))
      .accessToken;
    expect((await userinfoWith(spa, bearer, userinfoProof(key, spa, bearer))).status).toBe(401);
    expect((await userinfo(spa, bearer)).status).toBe(200);
  });

  test('a proof counts once, also of 50 at once', async () => {
    const proof = await userinfoProof(key, spa, accessToken);
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await userinfoWith(spa, accessToken, proof)).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(49);
  });

  test('without a token both schemes are named', async () => {
    const response = await fetch(`${spa.issuer}/userinfo`);
    expect(challengeOf(response)).toBe(`Bearer realm="${spa.issuer}", DPoP algs="${dpopAlgorithms.join(' ')}"`);
  });
});

describe('a bound token elsewhere', () => {
  test('RFC 9449 §6.2: introspection tells its key and type', async () => {
    const reader = await register(provider, 'reader', { introspects: [provider.issuer] });
    const { accessToken } = await boundTokens(spa);
    expect(await bodyOf(await postAs(reader, '/introspect', { token: accessToken }))).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: key.thumbprint },
    });
  });

  test('is revoked without a proof', async () => {
    const { accessToken } = await boundTokens(spa);
    expect((await postAs(spa, '/revoke', { token: accessToken })).status).toBe(200);
    const response = await userinfoWith(spa, accessToken, userinfoProof(key, spa, accessToken));
    expect(response.status).toBe(401);
  });
});
