/**
 * The ceiling of refresh: Elysia, a form, one prepared UPDATE by postgres.js, two ES256 signatures. The second argument
 * says on which table: `plain`, or `product` with the partitions, indexes and conditions of the real one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Elysia } from 'elysia';
import postgres from 'postgres';
import { readSettings } from './settings.ts';
import { createSign } from './sign.ts';

const { port, issuer, signingKey, web, databaseUrl, databaseConnections } = await readSettings();
const sign = createSign(signingKey);
const sql = postgres(databaseUrl, { max: databaseConnections, onnotice: () => {} });
const authorization = `Basic ${Buffer.from(`${web.clientId}:${web.clientSecret}`).toString('base64')}`;
const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();

type Row = { user_id: string; session_id: string; scope: string };
type Turn = { id: string; generation: number; former: Buffer; next: Buffer };

const updates = {
  plain: ({ id, generation, former, next }: Turn) => sql<Row[]>`
    UPDATE bench_families SET generation = ${generation + 1}, secret_hash = ${next}, rotated_at = now()
    WHERE id = ${id} AND generation = ${generation} AND secret_hash = ${former} AND revoked_at IS NULL
    RETURNING user_id, session_id, scope`,
  product: ({ id, generation, former, next }: Turn) => sql<Row[]>`
    UPDATE token_families f SET generation = ${generation + 1}, secret_hash = ${next}, rotated_at = limen_now()
    WHERE f.id = ${id} AND f.generation = ${generation} AND f.secret_hash = ${former} AND f.revoked_at IS NULL
      AND f.rotated_at > limen_now() - interval '14 days'
      AND (SELECT u.enabled AND u.valid_from <= f.created_at FROM users u WHERE u.id = f.user_id)
      AND (SELECT s.ended_at IS NULL AND s.expires_at > limen_now() FROM sso_sessions s WHERE s.id = f.session_id)
    RETURNING f.user_id, f.session_id, f.scope`,
};
const update = process.argv[3] === 'product' ? updates.product : updates.plain;

async function refresh(token: string): Promise<object | null> {
  const [id = '', generation = '', secret = ''] = token.split('.');
  const heir = randomBytes(32);
  const former = sha256(Buffer.from(secret, 'base64url'));
  const [row] = await update({ id, generation: Number(generation), former, next: sha256(heir) });
  if (row === undefined) return null;
  const issuedAt = Math.floor(Date.now() / 1000);
  const shared = { iss: issuer, sub: row.user_id, iat: issuedAt, exp: issuedAt + 600, auth_time: issuedAt };
  const jti = randomBytes(24).toString('base64url');
  const accessToken = sign('at+jwt', { ...shared, aud: issuer, client_id: web.clientId, scope: row.scope, jti });
  const atHash = sha256(Buffer.from(accessToken)).subarray(0, 16).toString('base64url');
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 600,
    scope: row.scope,
    refresh_token: `${id}.${Number(generation) + 1}.${heir.toString('base64url')}`,
    id_token: sign('JWT', { ...shared, aud: web.clientId, amr: ['pwd'], sid: row.session_id, at_hash: atHash }),
  };
}

new Elysia()
  .get('/livez', () => 'ok')
  .post(
    '/token',
    async ({ request }) => {
      const form = new URLSearchParams(await request.text());
      const body =
        request.headers.get('authorization') === authorization ? refresh(form.get('refresh_token') ?? '') : null;
      const answer = await body;
      return new Response(JSON.stringify(answer ?? { error: 'invalid_grant' }), {
        status: answer === null ? 400 : 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' },
      });
    },
    { parse: 'none' },
  )
  .listen({ hostname: '127.0.0.1', port });
