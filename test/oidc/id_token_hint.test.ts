import { describe, expect, test } from 'bun:test';
import { CompactSign, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK, UnsecuredJWT } from 'jose';
import { verifyIdTokenHint } from '../../src/oidc/id_token_hint.ts';
import { granted, issuer, refused, start, userId } from './parties.ts';

const make = async (algorithm: string, kid: string) => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  return { jwk, privateKey, algorithm, kid };
};
const current = await make('ES256', 'current');
const retired = await make('ES256', 'retired');
const strangers = await make('ES256', 'current');
const jwks: JSONWebKeySet = { keys: [current.jwk, retired.jwk] };

const claims = { iss: issuer, sub: userId, aud: 'web', exp: start / 1000 + 600, iat: start / 1000, sid: 's1d' };
type Header = { readonly typ?: string; readonly kid?: string; readonly alg?: string };

const sign = (payload: unknown, key: typeof current = current, header: Header = {}): Promise<string> =>
  new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
    .setProtectedHeader({ alg: key.algorithm, typ: 'JWT', kid: key.kid, ...header })
    .sign(key.privateKey);

const verify = (hint: string) => verifyIdTokenHint(hint, issuer, jwks);

describe('OIDC Core §3.1.2.1 id_token_hint', () => {
  test('an ID token of this issuer names its subject, client and session', async () => {
    expect(granted(await verify(await sign(claims)))).toEqual({ subject: userId, clientId: 'web', sid: 's1d' });
  });

  test('expired years ago, or signed with a retired key: as a hint that does not matter', async () => {
    expect((await verify(await sign({ ...claims, exp: 1 }))).ok).toBe(true);
    expect((await verify(await sign(claims, retired))).ok).toBe(true);
  });

  test('without sid: null; with several audiences azp names the client (OIDC Core §2)', async () => {
    const { sid: _, ...without } = claims;
    expect(granted(await verify(await sign(without))).sid).toBeNull();
    expect(granted(await verify(await sign({ ...claims, aud: ['api', 'web'], azp: 'web' }))).clientId).toBe('web');
  });

  const tampered = async (): Promise<string> => {
    const [header = '', , signature = ''] = (await sign(claims)).split('.');
    return [header, Buffer.from(JSON.stringify({ ...claims, sub: 'other' })).toString('base64url'), signature].join(
      '.',
    );
  };

  const refusals: readonly (readonly [what: string, hint: () => string | Promise<string>])[] = [
    ['of alg none', () => new UnsecuredJWT(claims).encode()],
    ['of alg none with our kid', async () => `${(await sign(claims)).split('.').slice(0, 2).join('.')}.`],
    ['signed by a stranger under our kid', () => sign(claims, strangers)],
    ['whose payload was changed', tampered],
    ['of an unknown kid', () => sign(claims, current, { kid: 'unknown' })],
    ['of another issuer', () => sign({ ...claims, iss: `${issuer}/realms/other` })],
    ['of an issuer with a slash more', () => sign({ ...claims, iss: `${issuer}/` })],
    ['that is an access token of ours (RFC 9068 §2.1)', () => sign(claims, current, { typ: 'at+jwt' })],
    ['that is a logout token of ours', () => sign(claims, current, { typ: 'logout+jwt' })],
    ['without sub', () => sign({ iss: issuer, aud: 'web' })],
    ['with a sub that is no string', () => sign({ ...claims, sub: { $ne: null } })],
    ['without aud', () => sign({ iss: issuer, sub: userId })],
    ['with no audience in aud', () => sign({ ...claims, aud: [] })],
    ['that is JSON but no object', () => sign('[]')],
    ['that is no JSON', () => sign('{')],
    ['that is no JWS', () => 'eyJ'],
    ['of nothing', () => '..'],
    [
      'by HMAC with our public key as its secret',
      () =>
        new CompactSign(Buffer.from(JSON.stringify(claims)))
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'current' })
          .sign(Buffer.from(JSON.stringify(current.jwk))),
    ],
  ];

  test.each(refusals)('one %s is refused', async (_, hint) => {
    expect(refused(await verify(await hint()))).toMatchObject({ error: 'invalid_request', parameter: 'id_token_hint' });
  });
});
