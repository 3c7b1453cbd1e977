/** The ceiling of client_credentials: Elysia, a form, one signature. It authenticates nobody and checks nothing. */
import { randomBytes } from 'node:crypto';
import { Elysia } from 'elysia';
import { readSettings } from './settings.ts';
import { createSign } from './sign.ts';

const { port, issuer, signingKey, service } = await readSettings();
const sign = createSign(signingKey);

new Elysia()
  .get('/livez', () => 'ok')
  .post(
    '/token',
    async ({ request }) => {
      const form = new URLSearchParams(await request.text());
      const scope = form.get('scope') ?? '';
      const issuedAt = Math.floor(Date.now() / 1000);
      const accessToken = sign('at+jwt', {
        iss: issuer,
        sub: service.clientId,
        aud: issuer,
        client_id: service.clientId,
        scope,
        jti: randomBytes(16).toString('base64url'),
        iat: issuedAt,
        exp: issuedAt + 600,
      });
      const body = { access_token: accessToken, token_type: 'Bearer', expires_in: 600, scope };
      return new Response(JSON.stringify(body), {
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' },
      });
    },
    { parse: 'none' },
  )
  .listen({ hostname: '127.0.0.1', port });
