import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { decodeJwt } from 'jose';
import { err, ok, type Result } from '../../core/result.ts';
import { type Instant, toNumericDate } from '../../core/time.ts';
import type { Client } from '../client.ts';
import { type ClientKeys, clientSigningAlgorithms, verifySignedByClient } from '../client_keys.ts';
import { type Refusal, refusal } from '../errors.ts';
import { type Form, hasControlCharacter, single } from '../parameters.ts';
import type { Realm } from '../realm.ts';
import { authorizationParameters } from './parameters.ts';
import { canonicalResponseType } from './response_type.ts';

/**
 * Request objects (OIDC Core §6, RFC 9101): the parameters of a request as a JWT that the client signed, by value or behind
 * a URL that it registered. Opened before any rule is applied; what comes out is a form like any other.
 */

/** `none` never: an object that nobody signed says no more than the query does. */
export const requestObjectAlgorithms = clientSigningAlgorithms;

/** In characters; behind a `request_uri` there is what is too long for a URL. */
export const longestRequestObject = { byValue: 16_384, byReference: 65_536 } as const;

export type RequestObjectPorts = {
  readonly clientKeys: ClientKeys;
  /** What is at a `request_uri`; null: it cannot be had. */
  readonly fetchRequestObject: (url: string) => Promise<string | null>;
};

type Facts = { readonly form: Form; readonly client: Client; readonly realm: Realm; readonly now: Instant };

/** `form` holds neither `request` nor `request_uri`. `refusal` is for the rules to tell, at the address that `form` gives. */
export type OpenedRequest = { readonly form: Form; readonly refusal: Refusal | null };

type Claims = { readonly [claim: string]: unknown };

export async function openRequestObject(facts: Facts, ports: RequestObjectPorts): Promise<OpenedRequest> {
  const { form, client } = facts;
  const isRequired = client.metadata.require_signed_request_object === true;
  const sent = { request: single(form, 'request'), requestUri: single(form, 'request_uri') };
  const outer = without(form, ['request', 'request_uri']);
  if (sent.request === undefined && sent.requestUri === undefined) {
    return { form: outer, refusal: isRequired ? unsignedRefusal : null };
  }
  const object = await objectOf(sent, client, ports);
  if (!object.ok) return { form: outer, refusal: object.error };
  const opened = await parametersOf(object.value, facts, ports);
  if (!opened.ok) return { form: withAddress(outer, object.value), refusal: opened.error };
  // RFC 9101 §6.3: where every request must be signed, what is not signed does not count.
  const base = isRequired ? only(outer, ['client_id']) : outer;
  return { form: { ...base, values: { ...base.values, ...opened.value } }, refusal: null };
}

const unsignedRefusal = refusal(
  'invalid_request',
  'this client is registered to send signed request objects only',
  'RFC 9101 §10.5',
  'request',
);

const refuseObject = (description: string, rule = 'OIDC Core §6.1'): Refusal =>
  refusal('invalid_request_object', description, rule, 'request');

const refuseUri = (description: string): Refusal =>
  refusal('invalid_request_uri', description, 'OIDC Core §6.2', 'request_uri');

type Sent = { readonly request: string | undefined; readonly requestUri: string | undefined };

/** The object as it was sent, nothing of it believed. */
async function objectOf(
  { request, requestUri }: Sent,
  client: Client,
  ports: RequestObjectPorts,
): Promise<Result<string, Refusal>> {
  if (requestUri === undefined) {
    const object = request ?? '';
    return object.length <= longestRequestObject.byValue ? ok(object) : err(refuseObject('request is too long'));
  }
  if (request !== undefined) {
    return err(refusal('invalid_request', 'request and request_uri exclude each other', 'OIDC Core §6.1', 'request'));
  }
  if (!isRegistered(requestUri, client)) return err(refuseUri('request_uri is not registered for this client'));
  const fetched = await ports.fetchRequestObject(requestUri);
  if (fetched === null) return err(refuseUri('nothing could be fetched from request_uri'));
  const object = fetched.trim();
  return object.length <= longestRequestObject.byReference
    ? ok(object)
    : err(refuseUri('what is at request_uri is too long'));
}

/** OIDC Registration §2 `request_uris`: the fragment is a version of what is there, not a part of where it is. */
const isRegistered = (uri: string, { metadata: { request_uris = [] } }: Client): boolean =>
  request_uris.some((registered) => withoutFragment(registered) === withoutFragment(uri));

const withoutFragment = (uri: string): string => uri.split('#', 1)[0] ?? '';

const payloadSchema = TypeCompiler.Compile(
  Type.Object({
    iss: Type.Optional(Type.String()),
    aud: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
    iat: Type.Optional(Type.Number()),
  }),
);

/** What the object says, by parameter name, once it is the client's and for us. */
async function parametersOf(
  object: string,
  { form, client, realm, now }: Facts,
  { clientKeys }: RequestObjectPorts,
): Promise<Result<Form['values'], Refusal>> {
  const { clockSkewSeconds } = realm.settings;
  const verified = await verifySignedByClient(object, {
    client,
    clientKeys,
    registeredAlgorithm: client.metadata.request_object_signing_alg,
    now,
    clockSkewSeconds,
  });
  if (verified === null || !isRequestType(verified.typ)) {
    return err(refuseObject('the request object is not signed by this client, or not valid now', 'RFC 9101 §6.2'));
  }
  const { payload } = verified;
  if (!payloadSchema.Check(payload)) return err(refuseObject('iss, aud or iat of the request object is malformed'));
  const fault =
    refuseParties(payload, client, realm) ??
    (payload.iat !== undefined && payload.iat > toNumericDate(now) + clockSkewSeconds
      ? refuseObject('the request object was issued in the future')
      : null) ??
    refuseContradiction(payload, form, client);
  return fault === null ? readParameters(payload) : err(fault);
}

/** RFC 9101 §4, §10.8: explicit typing is optional, but a JWT that is typed as something else is something else. */
const isRequestType = (typ: string | null): boolean =>
  typ === null || ['jwt', 'oauth-authz-req+jwt'].includes(typ.toLowerCase().replace(/^application\//, ''));

type Parties = { readonly iss?: string; readonly aud?: string | string[] };

function refuseParties(payload: Parties & Claims, { clientId }: Client, { issuer }: Realm): Refusal | null {
  if (payload.iss !== undefined && payload.iss !== clientId) return refuseObject('iss must be the client_id');
  const audience = typeof payload.aud === 'string' ? [payload.aud] : payload.aud;
  if (audience !== undefined && !audience.includes(issuer)) return refuseObject('aud must be the issuer');
  // RFC 9101 §10.8: such a JWT was made to authenticate the client.
  if (payload['sub'] === clientId) return refuseObject('sub must not be the client_id', 'RFC 9101 §10.8');
  return null;
}

/** OIDC Core §6.1, RFC 9101 §5: what OAuth wants outside as well must be the same there. */
function refuseContradiction(payload: Claims, form: Form, { clientId }: Client): Refusal | null {
  if (payload['request'] !== undefined || payload['request_uri'] !== undefined) {
    return refuseObject('a request object holds neither request nor request_uri');
  }
  const { client_id: inner = clientId, response_type: type } = payload;
  if (inner !== clientId) return refuseObject('client_id is another one inside the request object');
  const outerType = single(form, 'response_type');
  const isOther =
    typeof type === 'string' &&
    outerType !== undefined &&
    canonicalResponseType(type) !== canonicalResponseType(outerType);
  return isOther ? refuseObject('response_type is another one inside the request object') : null;
}

/** OIDC Core §6.1: what is JSON or a number anyway is so here too; an empty value counts as none. */
function readParameters(payload: Claims): Result<Form['values'], Refusal> {
  const values: { [name: string]: string | readonly string[] } = {};
  for (const name of authorizationParameters.names) {
    const claim = payload[name];
    if (claim === undefined || claim === '') continue;
    const value = name === 'resource' ? readResource(claim) : readValue(name, claim);
    if (value === null) return err(refuseObject(`${name} is malformed inside the request object`));
    values[name] = value;
  }
  return ok(values);
}

const numbers: readonly string[] = ['max_age'];
const objects: readonly string[] = ['claims', 'registration'];

function readValue(name: string, claim: unknown): string | null {
  if (typeof claim === 'string') return isText(claim) ? claim : null;
  if (typeof claim === 'number') return numbers.includes(name) ? String(claim) : null;
  if (!objects.includes(name) || typeof claim !== 'object' || claim === null) return null;
  return JSON.stringify(claim);
}

function readResource(claim: unknown): readonly string[] | null {
  const resources: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const texts = resources.filter((resource): resource is string => typeof resource === 'string' && isText(resource));
  return texts.length === resources.length ? texts : null;
}

/** What could have been sent as a parameter: a lone surrogate has no UTF-8 to be percent-encoded as. */
const isText = (text: string): boolean => text.isWellFormed() && !hasControlCharacter(text);

/** Where a refusal goes, and how. */
const address = ['redirect_uri', 'response_type', 'response_mode', 'state'] as const;

/**
 * A refused object may still say where its refusal goes, as far as the outer request does not: who sent it could have put
 * the same into the query, and `redirect_uri` must be a registered one either way.
 */
function withAddress(outer: Form, object: string): Form {
  const claims = unverifiedClaims(object);
  const faulty = outer.faults.map(({ parameter }) => parameter);
  const missing = address.flatMap((name) => {
    const claim = claims[name];
    const isFree = outer.values[name] === undefined && !faulty.includes(name);
    return isFree && typeof claim === 'string' && claim !== '' && isText(claim) ? [[name, claim] as const] : [];
  });
  return { ...outer, values: { ...outer.values, ...Object.fromEntries(missing) } };
}

function unverifiedClaims(object: string): Claims {
  try {
    return decodeJwt(object);
  } catch {
    return {};
  }
}

const without = (form: Form, names: readonly string[]): Form => ({
  ...form,
  values: Object.fromEntries(Object.entries(form.values).filter(([name]) => !names.includes(name))),
});

const only = (form: Form, names: readonly string[]): Form => ({
  ...form,
  values: Object.fromEntries(Object.entries(form.values).filter(([name]) => names.includes(name))),
});
