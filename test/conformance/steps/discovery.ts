import type { Environment } from './environment.ts';
import { type Json, jsonObject, parseJson, textOf, textsOf } from './json.ts';
import { must } from './verdict.ts';

/** Runs before every module: the document is there and names this issuer and what every module needs. */
export async function fetchMetadata(issuer: string): Promise<Json> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`);
  must(response.status === 200, `discovery answers ${response.status}`);
  must(isJson(response.headers), `discovery is served as ${response.headers.get('content-type')}`);
  const metadata = jsonObject(parseJson(await response.text()));
  must(metadata !== null, 'discovery is not a JSON object');
  must(textOf(metadata, 'issuer') === issuer, `issuer is ${String(metadata['issuer'])}, not ${issuer}`);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri']) {
    must(textOf(metadata, name) !== null, `discovery has no ${name}`);
  }
  return metadata;
}

/** RFC 8414 §2: `client_secret_basic` where the metadata is silent. */
export function mustSupportClientAuth(metadata: Json, authMethod: string): void {
  const listed = metadata['token_endpoint_auth_methods_supported'];
  const methods =
    listed === undefined ? ['client_secret_basic'] : textsOf(metadata, 'token_endpoint_auth_methods_supported');
  must(methods.includes(authMethod), `token_endpoint_auth_methods_supported does not list ${authMethod}`);
}

export const isJson = (headers: Headers): boolean =>
  /^application\/json *(;|$)/i.test(headers.get('content-type') ?? '');

/** The endpoint of this name. */
export function endpoint({ metadata }: Pick<Environment, 'metadata'>, name: string): string {
  const url = textOf(metadata, name);
  must(url !== null, `discovery has no ${name}`);
  return url;
}

/** The suite wants https everywhere; here the provider is on loopback, where it may be http (docs/conformance.md says so). */
export function mustBeSecure(what: string, url: string): void {
  must(URL.canParse(url), `${what} is not a URL`);
  const { protocol, hostname } = new URL(url);
  must(protocol === 'https:' || (protocol === 'http:' && hostname === '127.0.0.1'), `${what} is not https`);
}
