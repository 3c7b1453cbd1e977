import type { JWK } from 'jose';
import type { ClientId, RealmId } from '../core/ids.ts';
import type { Overrides } from '../core/overrides.ts';
import type { Settings } from '../core/settings.ts';
import type { Instant } from '../core/time.ts';
import type { Realm } from './realm.ts';

/** RFC 6749 §2.1. Stated when a client is made; it decides authentication, PKCE and rotation. */
export type ClientClass = 'public' | 'confidential';

/** A secret by its SHA-256; two may be valid while rotating. */
export type ClientSecretHash = {
  readonly hash: Uint8Array;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | null;
  /** The secret itself under the key ring, for the one method that computes with it (`client_secret_jwt`). */
  readonly sealed?: string;
};

/** A registered client with its effective policies, as the configuration cache holds it. */
export type Client = {
  readonly realmId: RealmId;
  readonly clientId: ClientId;
  readonly class: ClientClass;
  readonly name: string;
  /** A name out of the registry `client_auth/index.ts`. */
  readonly authMethod: string;
  readonly secrets: readonly ClientSecretHash[];
  readonly jwks: { readonly keys: readonly JWK[] } | null;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly grantTypes: readonly string[];
  readonly responseTypes: readonly string[];
  readonly scope: readonly string[];
  /** Resources whose tokens it may ask for; the first is its default audience. */
  readonly resources: readonly string[];
  /** Audiences, beside its own client_id, whose tokens it may introspect. */
  readonly introspects: readonly string[];
  readonly idTokenSignedResponseAlg: string | null;
  readonly defaultMaxAgeSeconds: number | null;
  readonly requireAuthTime: boolean;
  readonly consent: 'remembered' | 'always' | 'never';
  readonly overrides: Overrides;
  /** Effective: system default → realm → client. */
  readonly settings: Settings;
  readonly metadata: ClientMetadata;
  readonly enabled: boolean;
  /** What was issued before this instant no longer counts. */
  readonly validFrom: Instant;
  /** Absent: its operator made it. */
  readonly introduced?: Introduced;
};

/** Of a client that nobody here knows but by what it says of itself (RFC 7591, Client ID Metadata Document). */
export type Introduced = {
  /** The realm's `registrationResources`: it may ask for these, with consent to each; none is its default. */
  readonly resources: readonly string[];
  /** Host and port of a `client_id` that is a URL: all that is certain of it. null: it registered itself. */
  readonly host: string | null;
};

/** What was issued before this instant no longer counts: the client's cut or its realm's, whichever came later. */
export const countsFrom = (client: Pick<Client, 'validFrom'>, realm: Pick<Realm, 'validFrom'>): Instant =>
  Math.max(client.validFrom, realm.validFrom);

/**
 * Registered metadata by its wire names (OIDC Registration §2, Front- and Back-Channel Logout §2, RFC 7591 §2, RFC 9701 §6),
 * as far as it has no member of its own above.
 */
export type ClientMetadata = {
  readonly client_uri?: string;
  readonly logo_uri?: string;
  readonly policy_uri?: string;
  readonly tos_uri?: string;
  readonly contacts?: readonly string[];
  readonly application_type?: 'web' | 'native';
  readonly jwks_uri?: string;
  readonly sector_identifier_uri?: string;
  readonly subject_type?: 'public' | 'pairwise';
  readonly id_token_encrypted_response_alg?: string;
  readonly id_token_encrypted_response_enc?: string;
  readonly userinfo_signed_response_alg?: string;
  readonly userinfo_encrypted_response_alg?: string;
  readonly userinfo_encrypted_response_enc?: string;
  readonly introspection_signed_response_alg?: string;
  readonly introspection_encrypted_response_alg?: string;
  readonly introspection_encrypted_response_enc?: string;
  readonly request_object_signing_alg?: string;
  readonly request_uris?: readonly string[];
  readonly require_signed_request_object?: boolean;
  readonly initiate_login_uri?: string;
  readonly default_acr_values?: readonly string[];
  readonly token_endpoint_auth_signing_alg?: string;
  readonly frontchannel_logout_uri?: string;
  readonly frontchannel_logout_session_required?: boolean;
  readonly backchannel_logout_uri?: string;
  readonly backchannel_logout_session_required?: boolean;
  readonly software_id?: string;
  readonly software_version?: string;
};
