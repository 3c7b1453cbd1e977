/**
 * node-oidc-provider with its own in-memory store: nothing is durable. Plain JavaScript, because Node runs it as well as
 * Bun: `node node_oidc_provider.mjs settings.json`.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
import LRU from 'oidc-provider/lib/helpers/lru.js';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { port, issuer, signingKey, service, web } = settings;

/** The provider's own store, with room for all that a run makes: as it comes, it forgets after a thousand entries. */
const store = new LRU({ maxSize: 500_000 });

const provider = new Provider(issuer, {
  adapter: (model) => new MemoryAdapter(model, store),
  jwks: { keys: [signingKey] },
  cookies: { keys: ['no cookie is set here'] },
  clients: [
    {
      client_id: service.clientId,
      client_secret: service.clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: service.scope,
      id_token_signed_response_alg: 'ES256',
    },
    {
      client_id: web.clientId,
      client_secret: web.clientSecret,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [web.redirectUri],
      response_types: ['code'],
      scope: web.scope,
      id_token_signed_response_alg: 'ES256',
    },
  ],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes: ['openid', 'profile', ...service.scope.split(' ')],
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  issueRefreshToken: () => true,
  expiresWithSession: () => false,
  rotateRefreshToken: true,
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 30 * 86_400,
    IdToken: 600,
    RefreshToken: 14 * 86_400,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => issuer,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: `${service.scope} ${web.scope}`,
        audience: issuer,
        accessTokenTTL: 600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

/** A sign-in's outcome, by the provider's own models: a grant and a code that belongs to it. */
async function mintCode(client, accountId) {
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(web.scope);
  grant.addResourceScope(issuer, web.scope);
  const grantId = await grant.save();
  const code = new provider.AuthorizationCode({
    accountId,
    client,
    grantId,
    acr: 'urn:limen:acr:password',
    amr: ['pwd'],
    authTime: Math.floor(Date.now() / 1000),
    claims: {},
    codeChallenge: web.codeChallenge,
    codeChallengeMethod: 'S256',
    gty: 'authorization_code',
    nonce: 'a nonce of the client',
    redirectUri: web.redirectUri,
    resource: issuer,
    scope: web.scope,
  });
  return code.save();
}

async function mintCodes(count) {
  const client = await provider.Client.find(web.clientId);
  const codes = [];
  for (let index = 0; index < count; index += 1) codes.push(await mintCode(client, `user-${index % 10_000}`));
  return codes;
}

const answer = provider.callback();
const server = createServer((request, response) => {
  const minted = /^\/bench\/codes\/(\d+)$/.exec(request.url);
  if (minted === null) return answer(request, response);
  return mintCodes(Number(minted[1])).then(
    (codes) => response.end(codes.join('\n')),
    (fault) => response.writeHead(500).end(String(fault?.stack ?? fault)),
  );
});
provider.on('server_error', (_, fault) => console.error(fault));
server.listen(port, '127.0.0.1');
