import { endpoint, mustBeSecure } from './discovery.ts';
import type { Environment } from './environment.ts';
import { textOf, textsOf } from './json.ts';
import { badLocales, mistyped, unknownNames } from './metadata_schema.ts';
import { must } from './verdict.ts';

/** OIDC Discovery §3. Status, type, issuer and keys are checked before every module. */
export function verifyMetadata(environment: Environment): void {
  const { metadata, warnUnless, issuer } = environment;
  const wrong = mistyped(metadata);
  must(wrong.length === 0, `of the wrong type: ${wrong.join(', ')}`);
  const unknown = unknownNames(metadata);
  warnUnless(unknown.length === 0, `names that the suite does not know: ${unknown.join(', ')}`);
  must(new URL(issuer).search === '' && new URL(issuer).hash === '', 'issuer has a query or a fragment');
  mustBeSecure('issuer', issuer);
  mustServeSecurely(environment);
  const isDynamic = environment.variant.registration === 'dynamic_client';
  // OIDC Discovery §3: a dynamic provider supports these.
  mustList(environment, 'response_types_supported', isDynamic ? ['code', 'id_token', 'id_token token'] : ['code']);
  if (isDynamic) mustBeSecure('registration_endpoint', endpoint(environment, 'registration_endpoint'));
  mustList(environment, 'id_token_signing_alg_values_supported', ['RS256']);
  const subjects = textsOf(metadata, 'subject_types_supported');
  must(subjects.length > 0 && subjects.every((type) => ['public', 'pairwise'].includes(type)), 'subject types');
  for (const name of ['userinfo_endpoint', 'scopes_supported', 'claims_supported']) {
    warnUnless(metadata[name] !== undefined, `there is no ${name}`);
  }
  if (metadata['scopes_supported'] !== undefined) mustList(environment, 'scopes_supported', ['openid']);
  warnUnless(textsOf(metadata, 'claims_supported').length > 0, 'claims_supported is empty');
  if (metadata['grant_types_supported'] !== undefined) {
    mustList(environment, 'grant_types_supported', ['authorization_code', ...(isDynamic ? ['implicit'] : [])]);
  }
  if (metadata['request_object_signing_alg_values_supported'] !== undefined) {
    const algorithms = textsOf(metadata, 'request_object_signing_alg_values_supported');
    warnUnless(algorithms.includes('RS256'), 'request_object_signing_alg_values_supported lacks RS256');
  }
  // OIDC Discovery §3: silence means true for this one.
  const takesUri = metadata['request_uri_parameter_supported'] ?? true;
  warnUnless(takesUri === false || metadata['request_parameter_supported'] === true, 'request_uri without request');
  must(badLocales(metadata).length === 0, `no language tags: ${badLocales(metadata).join(', ')}`);
}

function mustServeSecurely(environment: Environment): void {
  const { metadata } = environment;
  const names = Object.keys(metadata).filter((name) => name.endsWith('_endpoint') || name === 'jwks_uri');
  for (const name of names) mustBeSecure(name, endpoint(environment, name));
}

function mustList({ metadata }: Environment, name: string, values: readonly string[]): void {
  const listed = textsOf(metadata, name);
  const missing = values.filter((value) => !listed.includes(value));
  must(missing.length === 0, `${name} lacks ${missing.join(', ')}`);
}

/** RP-Initiated Logout §2.1. */
export function verifyEndSession({ metadata }: Environment): void {
  const url = textOf(metadata, 'end_session_endpoint');
  must(url !== null, 'there is no end_session_endpoint');
  mustBeSecure('end_session_endpoint', url);
}
