/**
 * Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): a document in, the client that it
 * describes or a refusal out, by the rules of dynamic registration and the few below. Such a client is never stored. It
 * must not know how a document is fetched or for how long it is kept.
 */
import { brandId, type ClientId } from '../../core/ids.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { wordsOf } from '../../core/settings.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';
import type { Realm } from '../realm.ts';
import { checkRegistration } from '../registration/index.ts';
import { refuseMember } from '../registration/refusal.ts';
import type { Served } from '../registration/served.ts';
import { hostOfClientId } from './client_id_url.ts';

export { isClientIdUrl, isTakenHost, looksLikeUrl } from './client_id_url.ts';
export type { ClientDocuments, DocumentAnswer, FetchedDocument } from './ports.ts';

type Document = { readonly [member: string]: unknown };

export type DocumentFacts = {
  readonly realm: Realm;
  readonly served: Served;
  /** Checked by `isClientIdUrl`. */
  readonly clientId: string;
};

/** §4.1: nobody can share a secret by publishing it. */
const authMethods: readonly string[] = ['none', 'private_key_jwt'];
const secretMembers = ['client_secret', 'client_secret_expires_at'];

/** What one document cannot settle for a server that it does not know; a pairwise sector would change with the document. */
const sectorMembers = ['sector_identifier_uri', 'subject_type'];

/**
 * Left out: pictures that strangers could change at will (§8.8), what clients that are registered are told of the end of a
 * sign-in, and request objects behind URLs, which would be fetched for whoever asks.
 */
const ignored: ReadonlySet<string> = new Set([
  'logo_uri',
  'request_uris',
  'frontchannel_logout_uri',
  'frontchannel_logout_session_required',
  'backchannel_logout_uri',
  'backchannel_logout_session_required',
]);

/** Grants in which a person decides. A document is written for all servers: what is not for this one is left out of it. */
const grantTypes: readonly unknown[] = ['authorization_code', 'refresh_token'];
const responseTypes: readonly unknown[] = ['code'];

export function clientOfDocument(document: unknown, facts: DocumentFacts): Result<Client, Refusal> {
  if (!isObject(document)) return err(refuseDocument('the client metadata document is not a JSON object'));
  const refused = refuseIdentity(document, facts.clientId) ?? refuseSecrets(document) ?? refuseSector(document);
  if (refused !== null) return err(refused);
  const { realm, served, clientId } = facts;
  const registration = { realm, served, clientId, isNamedByUrl: true, vouched: false, current: null };
  const checked = checkRegistration(forThisServer(document), registration);
  if (!checked.ok) return checked;
  const { registered } = checked.value;
  const host = hostOfClientId(clientId);
  return ok({
    ...registered,
    realmId: realm.id,
    clientId: brandId<ClientId>(clientId),
    name: registered.name === clientId ? host : registered.name,
    secrets: [],
    resources: [],
    introspects: [],
    consent: 'remembered',
    overrides: {},
    settings: realm.settings,
    enabled: true,
    validFrom: realm.validFrom,
    introduced: { resources: wordsOf(realm.settings.registrationResources), host },
  });
}

const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const refuseDocument = (description: string, rule = `${draft} §4`): Refusal =>
  refusal('invalid_client', description, rule, 'client_id');

const draft = 'draft-ietf-oauth-client-id-metadata-document';

/** §4: the same text, character by character. */
const refuseIdentity = (document: Document, clientId: string): Refusal | null =>
  document['client_id'] === clientId
    ? null
    : refuseMember('client_id', 'must be the URL of the document', `${draft} §4`);

function refuseSecrets(document: Document): Refusal | null {
  const member = secretMembers.find((name) => Object.hasOwn(document, name));
  if (member !== undefined)
    return refuseMember(member, 'must not be in a document that anyone can read', `${draft} §4.1`);
  const method = document['token_endpoint_auth_method'] ?? 'none';
  return typeof method === 'string' && authMethods.includes(method)
    ? null
    : refuseMember('token_endpoint_auth_method', `must be one of ${authMethods.join(', ')}`, `${draft} §4.1`);
}

function refuseSector(document: Document): Refusal | null {
  const member = sectorMembers.find((name) => (document[name] ?? 'public') !== 'public');
  return member === undefined ? null : refuseMember(member, 'asks for subjects that only a registered client can have');
}

/** Without a method there is none: the default of RFC 7591 §2 is a secret, and the draft's examples name nothing. */
function forThisServer(document: Document): Document {
  const kept = Object.fromEntries(Object.entries(document).filter(([name]) => !ignored.has(name)));
  return {
    ...kept,
    token_endpoint_auth_method: document['token_endpoint_auth_method'] ?? 'none',
    grant_types: within(document['grant_types'] ?? ['authorization_code'], grantTypes),
    response_types: within(document['response_types'] ?? ['code'], responseTypes),
  };
}

/** What is no list stays as it is, for the rules of registration to refuse. */
const within = (value: unknown, allowed: readonly unknown[]): unknown =>
  Array.isArray(value) ? value.filter((item) => allowed.includes(item)) : value;
