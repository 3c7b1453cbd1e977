import type { Client } from '../../../src/oidc/client.ts';
import { authenticateClient } from '../../../src/oidc/client_auth/index.ts';
import type { ShownCredentials, VerificationFacts } from '../../../src/oidc/client_auth/method.ts';
import { createClientKeys } from '../../../src/oidc/client_keys.ts';
import { issuer, realm, start } from '../parties.ts';

export const tokenEndpoint = `${issuer}/token`;

/** Nothing can be fetched. */
export const keysByValue = createClientKeys({ get: async () => null, refetch: async () => null });

const nothing: ShownCredentials = {
  authorization: null,
  client_id: undefined,
  client_secret: undefined,
  client_assertion: undefined,
  client_assertion_type: undefined,
};

/** Authenticates against a server that knows this one client; `asked` collects the ids it was asked for. */
export function authenticate(
  shown: Partial<ShownCredentials>,
  client: Client,
  facts: Partial<VerificationFacts> & { readonly asked?: unknown[] } = {},
) {
  return authenticateClient(
    { ...nothing, ...shown },
    {
      realm,
      now: start,
      audiences: [issuer, tokenEndpoint],
      clientKeys: keysByValue,
      openClientSecret: () => null,
      findClient: async (clientId) => {
        facts.asked?.push(clientId);
        return clientId === client.clientId ? client : null;
      },
      ...facts,
    },
  );
}

/** RFC 6749 §2.3.1: form-encoded, then base64. */
export function basic(clientId: string, secret: string): string {
  const encode = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString('base64')}`;
}
