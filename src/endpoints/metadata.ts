import { encodeBase64url } from '../core/base64url.ts';
import { sha256 } from '../core/crypto.ts';
import { metadata } from '../oidc/discovery.ts';
import type { Dependencies } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';

/** How long anyone may keep discovery and keys: a new signing key is published this long before it signs (seconds). */
const maxAgeSeconds = 300;

type Prebuilt = { readonly bytes: Uint8Array<ArrayBuffer>; readonly etag: string };

/** A document built once per object that it is made of, which the configuration cache replaces when it changes. */
function prebuilt<Source extends object>(build: (source: Source) => unknown): (source: Source) => Prebuilt {
  const known = new WeakMap<Source, Prebuilt>();
  return (source) => {
    const former = known.get(source);
    if (former !== undefined) return former;
    const bytes = new TextEncoder().encode(JSON.stringify(build(source)));
    const document = { bytes, etag: `"${encodeBase64url(sha256(bytes).subarray(0, 12))}"` };
    known.set(source, document);
    return document;
  };
}

function serve({ bytes, etag }: Prebuilt, { request }: Exchange, mediaType: string): Response {
  const headers = { 'content-type': mediaType, 'cache-control': `public, max-age=${maxAgeSeconds}`, etag };
  return isKnown(request.headers.get('if-none-match'), etag)
    ? new Response(null, { status: 304, headers })
    : new Response(bytes, { headers });
}

/** RFC 9110 §13.1.2: compared weakly, since whoever compresses on the way marks our tag as weak. */
const isKnown = (ifNoneMatch: string | null, etag: string): boolean =>
  ifNoneMatch?.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, ''))) === true;

/** OIDC Discovery §4 and RFC 8414 §3: one document. */
export function metadataEndpoint({ acrValues, uiLocales }: Dependencies): Handler {
  const documentOf = prebuilt((realm: Exchange['realm']) => metadata(realm, acrValues, uiLocales));
  return async (exchange) => serve(documentOf(exchange.realm), exchange, 'application/json');
}

/** RFC 7517 §5. */
export function jwksEndpoint(): Handler {
  const documentOf = prebuilt((jwks: Exchange['keys']['jwks']) => ({ keys: jwks.keys }));
  return async (exchange) => serve(documentOf(exchange.keys.jwks), exchange, 'application/jwk-set+json');
}
