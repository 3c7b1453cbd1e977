import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { systemClock } from '../../../src/core/time.ts';

/** An MCP server of the SDK's behind an OAuth resource server of three rules: RFC 9728, RFC 6750, RFC 9068 §4. */
export type ProtectedServer = {
  readonly url: string;
  /** `error` of each challenge so far; null: there was no token. */
  readonly challenges: readonly (string | null)[];
  /** From now on its clock is ahead by so much. */
  readonly shiftClock: (seconds: number) => void;
  readonly stop: () => Promise<void>;
};

export const scope = 'notes.read';

/** `issuer`: whose tokens it takes, and where it sends its clients; asked for anew at each request. */
export function startProtectedServer(issuer: () => string): ProtectedServer {
  const challenges: (string | null)[] = [];
  let shiftSeconds = 0;
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    async fetch(request): Promise<Response> {
      const { pathname } = new URL(request.url);
      if (pathname === '/.well-known/oauth-protected-resource/mcp') {
        return Response.json({ resource: url, authorization_servers: [issuer()], scopes_supported: [scope] });
      }
      if (pathname !== '/mcp') return new Response(null, { status: 404 });
      const [, token = null] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
      const claims = token === null ? null : await verified(token);
      return claims === null || token === null ? challenge(token) : respond(request, token, claims);
    },
  });
  const url: string = `http://127.0.0.1:${server.port}/mcp`;

  const challenge = (token: string | null): Response => {
    const error = token === null ? null : 'invalid_token';
    challenges.push(error);
    const metadata = `http://127.0.0.1:${server.port}/.well-known/oauth-protected-resource/mcp`;
    const parameters = [
      `resource_metadata="${metadata}"`,
      `scope="${scope}"`,
      ...(error === null ? [] : [`error="${error}"`]),
    ];
    return new Response(null, { status: 401, headers: { 'www-authenticate': `Bearer ${parameters.join(', ')}` } });
  };

  const verified = async (token: string): Promise<JWTPayload | null> => {
    const keys = createRemoteJWKSet(new URL(`${issuer()}/jwks`));
    const currentDate = new Date(systemClock() + shiftSeconds * 1000);
    const rules = { issuer: issuer(), audience: url, typ: 'at+jwt', currentDate };
    return jwtVerify(token, keys, rules).then(
      ({ payload }) => payload,
      () => null,
    );
  };

  return {
    url,
    challenges,
    shiftClock(seconds) {
      shiftSeconds += seconds;
    },
    stop: () => server.stop(true),
  };
}

/** Stateless: a server for each request, which knows whose token came with it. */
async function respond(
  request: Request,
  token: string,
  { client_id, scope: granted, sub }: JWTPayload,
): Promise<Response> {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says whose token this is.' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: JSON.stringify({ ...authInfo?.extra, clientId: authInfo?.clientId }) }],
  }));
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  const authInfo = { token, clientId: String(client_id), scopes: String(granted).split(' '), extra: { sub } };
  return transport.handleRequest(request, { authInfo });
}
