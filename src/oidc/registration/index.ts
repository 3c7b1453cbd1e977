/**
 * Dynamic client registration (RFC 7591, RFC 7592, OIDC Registration): what a client says of itself in, the client that it
 * becomes or a refusal out. Each step below is one file. It must not know HTTP, where clients are kept, or how a sector
 * document is fetched. Routes: `/register` and `/register/:handle`, in `endpoints/register.ts`.
 */
import { err, ok, type Result } from '../../core/result.ts';
import { canonicalResponseType, grantTypesOf, isResponseType } from '../authorize/response_type.ts';
import type { Client } from '../client.ts';
import { type Classification, checkClient, classifyClient } from '../client_class.ts';
import { type Refusal, refusal } from '../errors.ts';
import type { Realm } from '../realm.ts';
import { isScopeToken, scopeTokens } from '../scope.ts';
import { sectorOf, subjectTypeOf } from '../subject.ts';
import { type Members, readMembers } from './members.ts';
import { refuseMember } from './refusal.ts';
import { refuseUnserved, type Served } from './served.ts';
import { applicationTypeOf, refuseFrontChannel, refuseRedirectUris, refuseUris } from './uris.ts';

/** The columns of a client that it says of itself; the rest is its operator's. */
export type Registered = Pick<
  Client,
  | 'class'
  | 'name'
  | 'authMethod'
  | 'jwks'
  | 'redirectUris'
  | 'postLogoutRedirectUris'
  | 'grantTypes'
  | 'responseTypes'
  | 'scope'
  | 'idTokenSignedResponseAlg'
  | 'defaultMaxAgeSeconds'
  | 'requireAuthTime'
  | 'metadata'
>;

export type Registration = {
  readonly registered: Registered;
  readonly classification: Classification;
  /** To be fetched and given to `checkSectorDocument` before anything is stored. */
  readonly sectorDocumentUrl: string | null;
};

export type RegistrationFacts = {
  readonly realm: Pick<Realm, 'settings'>;
  readonly served: Served;
  readonly clientId: string;
  /** true: the id is the URL of the document itself. */
  readonly isNamedByUrl?: boolean;
  /** true: it holds an initial access token, so an operator vouches for it. */
  readonly vouched: boolean;
  /** The client as it is, where it replaces its registration: what an operator gave it, it keeps. */
  readonly current: Pick<Client, 'grantTypes' | 'scope'> | null;
};

export function checkRegistration(
  document: { readonly [member: string]: unknown },
  facts: RegistrationFacts,
): Result<Registration, Refusal> {
  if (document['software_statement'] !== undefined) return err(noStatements);
  const read = readMembers(document);
  if (!read.ok) return read;
  const sent = withDefaults(read.value);
  const refused =
    refuseRedirectUris(sent) ??
    refuseUris(sent) ??
    refuseFrontChannel(sent) ??
    refuseTwoKeySets(sent) ??
    refuseUnserved(sent, facts.served) ??
    refuseGrants(sent, facts);
  if (refused !== null) return err(refused);
  const classification = classifyClient(null, sent.token_endpoint_auth_method);
  const registered = toRegistered(sent, classification, facts);
  const { implicitAndHybrid } = facts.realm.settings;
  const checked = checkClient({
    ...registered,
    clientId: facts.clientId,
    isNamedByUrl: facts.isNamedByUrl === true,
    implicitAndHybrid,
    // A realm that does not rotate still does for public clients, so its setting contradicts none (RFC 9700 §4.14.2).
    rotation: 'always',
  });
  if (!checked.ok) return err(firstOf(checked.error));
  return ok({ registered, classification, sectorDocumentUrl: sent.sector_identifier_uri ?? null });
}

const noStatements = refusal(
  'unapproved_software_statement',
  'software statements are not supported: nobody whose statements would count is configured here',
  'RFC 7591 §3.1.1',
  'software_statement',
);

type Complete = Members & Required<Pick<Members, 'grant_types' | 'response_types' | 'token_endpoint_auth_method'>>;

/**
 * RFC 7591 §2, OIDC Registration §2. The defaults of grants and response types are for a client that says neither; who says
 * one gets what goes with it (RFC 7591 §2.1).
 */
function withDefaults(sent: Members): Complete {
  const grant_types = sent.grant_types ?? grantsFor(sent.response_types ?? ['code']);
  const response_types = sent.response_types ?? (grant_types.includes('authorization_code') ? ['code'] : []);
  const token_endpoint_auth_method = sent.token_endpoint_auth_method ?? 'client_secret_basic';
  return { ...sent, grant_types, response_types, token_endpoint_auth_method };
}

const grantsFor = (responseTypes: readonly string[]): string[] => [
  ...new Set(responseTypes.map(canonicalResponseType).filter(isResponseType).flatMap(grantTypesOf)),
];

const refuseTwoKeySets = ({ jwks, jwks_uri }: Members): Refusal | null =>
  jwks === undefined || jwks_uri === undefined ? null : refuseMember('jwks', 'and jwks_uri exclude each other');

/** Grants that need a person's consent each time. With any other, whoever may register could issue itself tokens. */
const consented: readonly string[] = [
  'authorization_code',
  'implicit',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
];

function refuseGrants({ grant_types }: Complete, { vouched, current }: RegistrationFacts): Refusal | null {
  const allowed = [...consented, ...(current?.grantTypes ?? [])];
  return vouched || grant_types.every((grant) => allowed.includes(grant))
    ? null
    : refuseMember('grant_types', 'asks for a grant that needs an initial access token');
}

function toRegistered(sent: Complete, classification: Classification, facts: RegistrationFacts): Registered {
  const {
    redirect_uris,
    post_logout_redirect_uris,
    response_types,
    grant_types,
    client_name,
    scope: _,
    jwks,
    token_endpoint_auth_method,
    id_token_signed_response_alg,
    default_max_age,
    require_auth_time,
    ...metadata
  } = sent;
  return {
    class: classification.class,
    name: client_name ?? facts.clientId,
    authMethod: token_endpoint_auth_method,
    jwks: jwks ?? null,
    redirectUris: redirect_uris ?? [],
    postLogoutRedirectUris: post_logout_redirect_uris ?? [],
    grantTypes: grant_types,
    responseTypes: response_types,
    scope: scopeOf(sent, facts),
    idTokenSignedResponseAlg: id_token_signed_response_alg ?? null,
    defaultMaxAgeSeconds: default_max_age ?? null,
    requireAuthTime: require_auth_time ?? false,
    metadata: { ...metadata, application_type: applicationTypeOf(sent) },
  };
}

/** RFC 7591 §2: without `scope` a default set; what nobody may register itself for is left out, and the answer says so. */
function scopeOf({ scope }: Members, { realm, current }: RegistrationFacts): readonly string[] {
  const open = scopeTokens(realm.settings.registrationScopes);
  if (scope === undefined) return current?.scope ?? open;
  const allowed = [...open, ...(current?.scope ?? [])];
  return scopeTokens(scope).filter((token) => isScopeToken(token) && allowed.includes(token));
}

function firstOf(faults: readonly { readonly member: string; readonly sentence: string }[]): Refusal {
  const [first = { member: 'client_id', sentence: 'is refused' }] = faults;
  return refuseMember(first.member, first.sentence);
}

/**
 * Whether people or tokens would be told apart otherwise than so far: then nothing that was issued before may count.
 */
export const becomesAnother = (before: Identity, after: Identity): boolean =>
  before.class !== after.class || sectorName(before) !== sectorName(after);

type Identity = Pick<Client, 'class' | 'metadata' | 'redirectUris'>;

const sectorName = (client: Identity): string | null =>
  subjectTypeOf(client) === 'pairwise' ? `pairwise ${sectorOf(client)}` : null;
