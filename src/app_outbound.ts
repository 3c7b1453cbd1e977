import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import type { Log } from './core/log.ts';
import { err, ok } from './core/result.ts';
import type { Clock } from './core/time.ts';
import type { RequestObjectPorts } from './oidc/authorize/request_object.ts';
import type { ClientDocuments, DocumentAnswer, FetchedDocument } from './oidc/client_id_metadata/index.ts';
import { type ClientKeys, createClientKeys, type KeyOwner, type KeySet, readKeySet } from './oidc/client_keys.ts';
import type { FetchJson } from './oidc/registration/ports.ts';
import type { PostForm } from './workers/index.ts';
import {
  createDocumentCache,
  createOutbound,
  type DocumentResult,
  type Outbound,
  readJson,
} from './workers/outbound/index.ts';

/** What asks other servers, wired to the one door that leads to them. */

/** The one door to other servers, with what the operator allows. */
export const openOutbound = ({ allow, loopback, certificatesFile }: Config['outbound'], log: Log): Outbound =>
  createOutbound(
    {
      allowHosts: allow.hosts,
      allowRanges: allow.ranges,
      loopback,
      extraCertificates: certificatesFile === null ? null : readFileSync(certificatesFile, 'utf8'),
    },
    { log },
  );

export const postFormPort =
  (outbound: Outbound): PostForm =>
  async (url, form) => {
    const body = new URLSearchParams(form).toString();
    const contentType = 'application/x-www-form-urlencoded';
    const result = await outbound.post(url, body, { accept: '*/*', contentType });
    if (result.kind === 'answered') return { kind: 'answered', status: result.status };
    const sentence = result.kind === 'refused' ? result.reason : `${result.reason}: ${result.detail}`;
    return { kind: 'unanswered', sentence };
  };

/** A document that is wanted once. What failed stays vague: whoever named the URL must not map our network with it. */
export const fetchJsonPort =
  (outbound: Outbound): FetchJson =>
  async (url) => {
    const result = await outbound.get(url, { accept: 'application/json', redirects: 0 });
    if (result.kind === 'refused') return err(result.reason);
    if (result.kind === 'failed') return err('there was no answer');
    return result.status === 200 ? readJson(result.body) : err('the answer was not 200');
  };

/** Twenty keys of the longest kind that is taken. */
const largestStrangersKeysBytes = 32 * 1024;

/**
 * Keys of a client that a metadata document describes go through `documentOutbound` and a cache of their own: whoever hosts
 * such documents must neither push out the keys of registered clients nor hold the places of logouts.
 */
export function clientKeysPort(outbound: Outbound, documentOutbound: Outbound, clock: Clock): ClientKeys {
  const registered = keysThrough(outbound, clock);
  const described = keysThrough(documentOutbound, clock, { bodyBytes: largestStrangersKeysBytes });
  const keysFor = ({ introduced }: KeyOwner): ClientKeys =>
    (introduced?.host ?? null) === null ? registered : described;
  return {
    current: (client) => keysFor(client).current(client),
    renewed: (client) => keysFor(client).renewed(client),
  };
}

function keysThrough(outbound: Outbound, clock: Clock, limits: { readonly bodyBytes?: number } = {}): ClientKeys {
  const documents = createDocumentCache<KeySet>({
    outbound,
    clock,
    options: { accept: 'application/jwk-set+json, application/json', redirects: 0, ...limits },
    read(body) {
      const document = readJson(body);
      return document.ok ? readKeySet(document.value) : document;
    },
  });
  const keysIn = (result: DocumentResult<KeySet>): KeySet | null => (result.kind === 'found' ? result.value : null);
  return createClientKeys({
    get: async (url) => keysIn(await documents.get(url)),
    refetch: async (url) => keysIn(await documents.refetch(url)),
  });
}

/** Not from a cache: a client may write each of its requests to the same place. */
export const fetchRequestObjectPort =
  (outbound: Outbound): RequestObjectPorts['fetchRequestObject'] =>
  async (url) => {
    const accept = 'application/oauth-authz-req+jwt, application/jwt, text/plain;q=0.5';
    const result = await outbound.get(url, { accept, redirects: 0 });
    if (result.kind !== 'answered' || result.status !== 200) return null;
    return Buffer.from(result.body).toString('latin1');
  };

/** draft-ietf-oauth-client-id-metadata-document §8.7. */
const largestClientDocumentBytes = 5 * 1024;
/** An outage of somebody else's server must not end what people allowed; a withdrawn key must not live on for long. */
const clientDocumentStaleSeconds = 6 * 60 * 60;

/** `outbound` is one of its own: whoever names a URL of theirs must not hold the places of logouts and keys. */
export function clientDocumentsPort(outbound: Outbound, clock: Clock): ClientDocuments {
  const documents = createDocumentCache<FetchedDocument>({
    outbound,
    clock,
    options: { accept: 'application/json', redirects: 0, bodyBytes: largestClientDocumentBytes },
    staleIfErrorSeconds: clientDocumentStaleSeconds,
    read(body, contentType) {
      if (!isJsonType(contentType)) return err('The document is not sent as application/json.');
      const document = readJson(body);
      return document.ok ? ok({ document: document.value }) : document;
    },
  });
  return {
    get: async (url, mayAsk) => documentAnswer(await documents.get(url, mayAsk)),
    renew: async (url, mayAsk) => documentAnswer(await documents.refetch(url, mayAsk)),
  };
}

/** §4: `application/json`, or something of JSON's that says more. */
const isJsonType = (contentType = ''): boolean =>
  /^application\/([a-z0-9!#$&^_.-]+\+)?json$/i.test(contentType.split(';', 1)[0]?.trim() ?? '');

function documentAnswer(result: DocumentResult<FetchedDocument>): DocumentAnswer {
  if (result.kind === 'found') return { kind: 'found', fetched: result.value };
  if (result.kind === 'refused') return { kind: 'refused', why: result.reason };
  const why = `${result.reason}: ${result.detail}`;
  return { kind: result.isOutage ? 'unavailable' : 'refused', why };
}
