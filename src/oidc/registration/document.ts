import { toNumericDate } from '../../core/time.ts';
import { registrationPath } from '../discovery.ts';
import { idTokenAlgorithmOf } from '../id_token.ts';
import { encryptedResponses, encryptionOf } from '../response_encryption.ts';
import { subjectTypeOf } from '../subject.ts';
import type { RegisteredClient } from './ports.ts';

export type Shown = {
  readonly issuer: string;
  readonly registrationToken: string;
  /** A secret that was made or presented just now; null: there is none, or only its hash is known. */
  readonly secret: string | null;
};

/**
 * RFC 7591 §3.2.1, RFC 7592 §3: everything that is registered, with the values in force for what was not said. The
 * registration access token is the one that was made or presented just now: only its hash is kept.
 */
export function registrationDocument(client: RegisteredClient, { issuer, registrationToken, secret }: Shown) {
  return {
    client_id: client.clientId,
    client_id_issued_at: toNumericDate(client.createdAt),
    ...(secret === null ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    registration_access_token: registrationToken,
    registration_client_uri: `${issuer}${registrationPath}/${client.clientId}`,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    ...(client.postLogoutRedirectUris.length === 0 ? {} : { post_logout_redirect_uris: client.postLogoutRedirectUris }),
    grant_types: client.grantTypes,
    response_types: client.responseTypes,
    token_endpoint_auth_method: client.authMethod,
    scope: client.scope.join(' '),
    subject_type: subjectTypeOf(client),
    id_token_signed_response_alg: idTokenAlgorithmOf(client),
    require_auth_time: client.requireAuthTime,
    ...(client.defaultMaxAgeSeconds === null ? {} : { default_max_age: client.defaultMaxAgeSeconds }),
    ...(client.jwks === null ? {} : { jwks: client.jwks }),
    ...defaultContentEncryptions(client),
    ...client.metadata,
  };
}

const defaultContentEncryptions = (client: Pick<RegisteredClient, 'metadata'>) =>
  Object.fromEntries(
    encryptedResponses.flatMap((response) => {
      const encryption = encryptionOf(client, response);
      return encryption === null ? [] : [[`${response}_encrypted_response_enc`, encryption.enc]];
    }),
  );
