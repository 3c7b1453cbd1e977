import type { ClientRecord, ClientRefusal } from '../../store/clients.ts';
import { formatRecord } from '../output.ts';
import { overridesDocument, shownInstant } from '../realm/view.ts';

type Described = Omit<ClientRecord, 'realmId' | 'clientId' | 'secrets' | 'validFrom' | 'createdAt'>;

/** What is registered and what an operator decided, by the wire names (RFC 7591 §2). */
export const clientMembers = (client: Described) => ({
  class: client.class,
  client_name: client.name,
  token_endpoint_auth_method: client.authMethod,
  jwks: client.jwks,
  redirect_uris: client.redirectUris,
  post_logout_redirect_uris: client.postLogoutRedirectUris,
  grant_types: client.grantTypes,
  response_types: client.responseTypes,
  scope: client.scope.join(' '),
  resources: client.resources,
  introspects: client.introspects,
  id_token_signed_response_alg: client.idTokenSignedResponseAlg,
  default_max_age: client.defaultMaxAgeSeconds,
  require_auth_time: client.requireAuthTime,
  consent: client.consent,
  ...client.metadata,
  enabled: client.enabled,
  settings: overridesDocument(client.overrides),
});

/** Never the hash of a secret. */
export const clientDocument = (client: ClientRecord) => ({
  client_id: client.clientId,
  ...clientMembers(client),
  client_secrets: client.secrets.map((secret) => ({
    created_at: shownInstant(secret.createdAt),
    expires_at: secret.expiresAt === null ? null : shownInstant(secret.expiresAt),
  })),
  created_at: shownInstant(client.createdAt),
});

export const clientText = (client: ClientRecord): string =>
  formatRecord([
    ['client_id', client.clientId],
    ['class', client.class],
    ['name', client.name],
    ['enabled', client.enabled],
    ['authentication', client.authMethod],
    ['secrets', client.secrets.length],
    ['redirect URIs', client.redirectUris],
    ['after sign-out', client.postLogoutRedirectUris],
    ['grants', client.grantTypes],
    ['scope', client.scope],
    ['resources', client.resources],
    ['introspects', client.introspects],
    ['consent', client.consent],
    ['bound tokens only', client.metadata.dpop_bound_access_tokens ?? false],
    ['created', shownInstant(client.createdAt)],
  ]);

const sentences = {
  client_id_invalid: () => ['a client_id is 1 to 128 characters out of A-Z a-z 0-9 . _ ~ -'],
  client_id_taken: () => ['there is a client with this client_id in this realm already'],
  unknown_realm: () => ['there is no such realm'],
  unknown_client: () => ['there is no such client in this realm'],
  settings: (faults: readonly string[]) => faults,
} as const satisfies { readonly [Kind in ClientRefusal['kind']]: (faults: readonly string[]) => readonly string[] };

export const explainClientRefusal = (refusal: ClientRefusal): readonly string[] =>
  sentences[refusal.kind]('faults' in refusal ? refusal.faults : []);
