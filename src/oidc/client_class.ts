import { err, ok, type Result } from '../core/result.ts';
import { kindOfRedirectUri } from './authorize/redirect_uri.ts';
import { isResourceIndicator } from './authorize/resource.ts';
import {
  canonicalResponseType,
  grantTypesOf,
  isFrontChannel,
  isResponseType,
  responseTypeNames,
  returns,
} from './authorize/response_type.ts';
import type { Client, ClientClass, ClientMetadata } from './client.ts';
import { assertionAlgorithmsOf, classOfAuthMethod, clientAuthMethodNames } from './client_auth/index.ts';
import { hasBoundedSize } from './client_keys.ts';
import { classesOfGrantType, grantTypeNames, signInGrantTypes } from './grants/index.ts';
import { idTokenAlgorithms } from './id_token.ts';
import { encryptionFaults } from './response_encryption.ts';
import { isScopeToken } from './scope.ts';
import { sectorOf, subjectTypeOf } from './subject.ts';

/** RFC 6749 §2.1. What is wrong with a registration, a sentence each: what, and how to mend it. */
export type RegistrationFault = { readonly member: string; readonly sentence: string };

export type Classification = { readonly class: ClientClass; readonly rule: string };

/**
 * A client without a stated class is classified by its authentication method, and the rule is shown with the result. A
 * stated class wins; where it contradicts the method, `checkClient` refuses.
 */
export function classifyClient(stated: ClientClass | null, authMethod: string): Classification {
  if (stated !== null) return { class: stated, rule: 'stated' };
  return authMethod === 'none'
    ? { class: 'public', rule: 'token_endpoint_auth_method is none, so nothing keeps a secret: public' }
    : {
        class: 'confidential',
        rule: `token_endpoint_auth_method is ${authMethod}, so it keeps a credential: confidential`,
      };
}

export type ClientDraft = Pick<
  Client,
  | 'class'
  | 'authMethod'
  | 'redirectUris'
  | 'postLogoutRedirectUris'
  | 'grantTypes'
  | 'responseTypes'
  | 'scope'
  | 'idTokenSignedResponseAlg'
  | 'jwks'
> & {
  readonly metadata?: ClientMetadata;
  readonly resources?: readonly string[];
  readonly clientId: string;
  /** true: the id is the URL of the client's metadata document, which has rules of its own (`client_id_url.ts`). */
  readonly isNamedByUrl?: boolean;
  readonly rotation: 'always' | 'never';
  /** The effective setting. */
  readonly implicitAndHybrid: boolean;
};

type Check = (draft: ClientDraft) => readonly RegistrationFault[];

const fault = (member: string, sentence: string): RegistrationFault => ({ member, sentence });
const when = (condition: boolean, member: string, sentence: string): readonly RegistrationFault[] =>
  condition ? [fault(member, sentence)] : [];

/** Every rule a registration must keep; all faults are told at once. */
const checks: readonly Check[] = [
  ({ clientId, isNamedByUrl = false }) =>
    when(
      !isNamedByUrl && (!/^[A-Za-z0-9._~-]{1,128}$/.test(clientId) || looksLikeUserId(clientId)),
      'client_id',
      'must be 1 to 128 characters out of A-Z a-z 0-9 . _ ~ - and not have the shape of a user id (a UUID)',
    ),
  ({ class: clientClass, authMethod }) => {
    const expected = classOfAuthMethod(authMethod);
    if (expected === undefined) {
      return [fault('token_endpoint_auth_method', `must be one of ${clientAuthMethodNames.join(', ')}`)];
    }
    return when(
      expected !== clientClass,
      'token_endpoint_auth_method',
      `${authMethod} contradicts a ${clientClass} client; a public client has none, a confidential one authenticates`,
    );
  },
  ({ grantTypes, class: clientClass }) =>
    grantTypes
      .filter((type) => type !== 'implicit')
      .flatMap((type) => {
        const classes = classesOfGrantType(type);
        if (classes.length === 0)
          return [fault('grant_types', `${printed(type)} is not one of ${grantTypeNames.join(', ')}`)];
        return when(!classes.includes(clientClass), 'grant_types', `${type} is not for a ${clientClass} client`);
      }),
  ({ grantTypes }) => when(grantTypes.length === 0, 'grant_types', 'must name at least one grant'),
  ({ grantTypes }) =>
    when(
      grantTypes.includes('refresh_token') && !signInGrantTypes.some((type) => grantTypes.includes(type)),
      'grant_types',
      `refresh_token needs one of ${signInGrantTypes.join(', ')}, which is where refresh tokens come from`,
    ),
  ({ responseTypes, implicitAndHybrid }) => responseTypes.flatMap((type) => checkResponseType(type, implicitAndHybrid)),
  ({ grantTypes, responseTypes }) => {
    const needed = new Set(responseTypes.map(canonicalResponseType).filter(isResponseType).flatMap(grantTypesOf));
    return ['authorization_code', 'implicit'].flatMap((grant) =>
      when(
        grantTypes.includes(grant) !== needed.has(grant),
        'response_types',
        `the grant ${grant} and the response types that need it go together (RFC 7591 §2.1)`,
      ),
    );
  },
  ({ grantTypes, redirectUris }) =>
    when(
      grantTypes.some((type) => ['authorization_code', 'implicit'].includes(type)) && redirectUris.length === 0,
      'redirect_uris',
      'a client that signs people in needs at least one',
    ),
  ({ redirectUris, class: clientClass }) => redirectUris.flatMap((uri) => checkRedirectUri(uri, clientClass)),
  ({ postLogoutRedirectUris, class: clientClass }) =>
    postLogoutRedirectUris.flatMap((uri) => checkRedirectUri(uri, clientClass, 'post_logout_redirect_uris')),
  ({ scope }) =>
    when(!scope.every(isScopeToken), 'scope', 'holds a value with characters that RFC 6749 §3.3 does not allow'),
  ({ resources = [] }) =>
    when(
      !resources.every(isResourceIndicator),
      'resources',
      'must be absolute URIs without a fragment (RFC 8707 §2), such as https://api.example.com',
    ),
  ({ authMethod, jwks, metadata }) =>
    when(
      authMethod === 'private_key_jwt' && (jwks?.keys.length ?? 0) === 0 && metadata?.jwks_uri === undefined,
      'jwks',
      'private_key_jwt needs public keys, here or at jwks_uri',
    ),
  ({ jwks, metadata }) =>
    when(jwks !== null && metadata?.jwks_uri !== undefined, 'jwks_uri', 'and jwks exclude each other (RFC 7591 §2)'),
  ({ metadata }) => {
    // http of this machine can be fetched from only where the operator switched that on.
    const kind = metadata?.jwks_uri === undefined ? 'https' : kindOfRedirectUri(metadata.jwks_uri);
    return when(kind !== 'https' && kind !== 'loopback', 'jwks_uri', 'must be an https URL without a fragment');
  },
  ({ jwks }) =>
    when(
      jwks?.keys.some((key) => 'd' in key || 'k' in key || key.kty === 'oct') ?? false,
      'jwks',
      'must hold public keys only; this one holds a private or symmetric key',
    ),
  ({ jwks }) =>
    when(
      !(jwks?.keys.every(hasBoundedSize) ?? true),
      'jwks',
      'holds an RSA key of more than 4096 bits; use a shorter one',
    ),
  ({ idTokenSignedResponseAlg, metadata = {} }) =>
    Object.entries({
      id_token_signed_response_alg: idTokenSignedResponseAlg ?? undefined,
      userinfo_signed_response_alg: metadata.userinfo_signed_response_alg,
      introspection_signed_response_alg: metadata.introspection_signed_response_alg,
    }).flatMap(([member, stated]) =>
      when(
        stated !== undefined && !idTokenAlgorithms.some((algorithm) => algorithm === stated),
        member,
        `must be one of ${idTokenAlgorithms.join(', ')}`,
      ),
    ),
  ({ jwks, metadata = {} }) => encryptionFaults({ jwks, metadata }),
  ({ authMethod, metadata }) => {
    const algorithms = assertionAlgorithmsOf(authMethod);
    const stated = metadata?.token_endpoint_auth_signing_alg;
    return when(
      algorithms !== undefined && stated !== undefined && !algorithms.includes(stated),
      'token_endpoint_auth_signing_alg',
      `must be one of ${algorithms?.join(', ')} with ${authMethod}`,
    );
  },
  ({ metadata = {}, redirectUris }) =>
    when(
      subjectTypeOf({ metadata }) === 'pairwise' && sectorOf({ metadata, redirectUris }) === null,
      'sector_identifier_uri',
      'pairwise subjects need it, unless all redirect_uris are https and of one host (OIDC Core §8.1)',
    ),
  ({ metadata, responseTypes }) =>
    when(
      metadata?.dpop_bound_access_tokens === true && responseTypes.some(isTokenResponse),
      'response_types',
      'return a token through the browser, which no DPoP key can be bound to; leave them out or dpop_bound_access_tokens',
    ),
  ({ class: clientClass, rotation }) =>
    when(
      clientClass === 'public' && rotation === 'never',
      'settings.rotation',
      'never is only for confidential clients: the refresh token of a public client must rotate (RFC 9700 §4.14.2)',
    ),
];

export function checkClient(draft: ClientDraft): Result<null, readonly RegistrationFault[]> {
  const faults = checks.flatMap((check) => check(draft));
  return faults.length === 0 ? ok(null) : err(faults);
}

function checkResponseType(type: string, implicitAndHybrid: boolean): readonly RegistrationFault[] {
  const canonical = canonicalResponseType(type);
  if (!isResponseType(canonical)) {
    return [fault('response_types', `${printed(type)} is not one of ${responseTypeNames.join(', ')}`)];
  }
  return when(
    isFrontChannel(canonical) && !implicitAndHybrid,
    'response_types',
    `${printed(type)} returns tokens through the browser, which RFC 9700 §2.1.2 advises against; the setting implicitAndHybrid allows it`,
  );
}

function isTokenResponse(type: string): boolean {
  const canonical = canonicalResponseType(type);
  return isResponseType(canonical) && returns(canonical, 'token');
}

function checkRedirectUri(
  uri: string,
  clientClass: ClientClass,
  member = 'redirect_uris',
): readonly RegistrationFault[] {
  const kind = kindOfRedirectUri(uri);
  if (kind === null) {
    return [
      fault(
        member,
        `${printed(uri)} must be an https URL, an http URL of this machine (127.0.0.1, [::1], localhost) or a private-use scheme with a dot, without fragment, user or password`,
      ),
    ];
  }
  return when(
    kind === 'private use' && clientClass === 'confidential',
    member,
    `${printed(uri)} belongs to an app on a device, which cannot keep a secret: make the client public`,
  );
}

const looksLikeUserId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

const printed = (text: string): string => JSON.stringify(text.slice(0, 200));
