import type { AuthorizationRequest } from './authorize.ts';
import type { Visit } from './browser.ts';
import { mustBeUnguessable } from './entropy.ts';
import type { Environment } from './environment.ts';
import { callbackPath, fieldsOf } from './relying_party.ts';
import { must } from './verdict.ts';

type Fields = { readonly [name: string]: string };

/** The parameters that came back, from where the response mode puts them and nowhere else. */
export function callbackFields(environment: Environment, { end }: Visit): Fields {
  must(end.kind !== 'page', `the browser is left on a page (${end.kind === 'page' ? end.status : ''})`);
  must(end.kind === 'relying_party', 'the browser was sent to an address that is not registered');
  const { method, path, query, form, fragment, contentType } = end.request;
  must(path === callbackPath, `the browser came back to ${path}`);
  const { responseMode, responseType } = environment.variant;
  if (responseMode === 'default') {
    must(method === 'GET', `the answer came by ${method}`);
    if (responseType === 'code') return fieldsOf(query);
    mustHaveNothing(query);
    return fieldsOf(fragment);
  }
  must(method === 'POST', `the answer came by ${method}, not by POST`);
  must(/^application\/x-www-form-urlencoded *(;|$)/i.test(contentType ?? ''), `the form came as ${contentType}`);
  mustHaveNothing(query);
  return fieldsOf(form);
}

/** A redirect URI may have a query of its own. */
function mustHaveNothing(query: URLSearchParams): void {
  const answers = ['code', 'error', 'state', 'id_token', 'access_token'];
  must(
    answers.every((name) => !query.has(name)),
    'the answer is in the query as well',
  );
}

export type Answer = {
  /** null: the response type has none. */
  readonly code: string | null;
  readonly idToken: string | null;
  readonly accessToken: string | null;
};

/** What the response type promises: the parameters that stand for each of its words. */
const promised: { readonly [word: string]: readonly string[] } = {
  code: ['code'],
  id_token: ['id_token'],
  token: ['access_token', 'token_type', 'expires_in'],
};

/** What a success consists of, in every module. */
export function answerFrom(environment: Environment, request: AuthorizationRequest, visit: Visit): Answer {
  const fields = callbackFields(environment, visit);
  must(fields['error'] === undefined, `refused: ${fields['error']} (${fields['error_description']})`);
  mustAnswer(environment, request, fields);
  const own = Object.keys(ownQuery(request));
  const words = environment.variant.responseType.split(' ');
  const wanted = words.flatMap((word) => promised[word] ?? []);
  warnOfUnexpected(environment, fields, [...wanted, ...own, 'state', 'iss', 'session_state', 'scope']);
  for (const name of wanted) must((fields[name] ?? '') !== '', `the answer has no ${name}`);
  const { code = null, id_token: idToken = null, access_token: accessToken = null } = fields;
  if (code !== null) mustBeUnguessable('the code', code);
  if (accessToken !== null) {
    mustBeUnguessable('the access token', accessToken);
    must(fields['token_type']?.toLowerCase() === 'bearer', `token_type is ${fields['token_type']}`);
    must(/^[1-9]\d*$/.test(fields['expires_in'] ?? ''), `expires_in is ${fields['expires_in']}`);
  }
  return { code, idToken, accessToken };
}

/** The query that the redirect URI has of its own. */
const ownQuery = ({ parameters }: AuthorizationRequest): Fields =>
  Object.fromEntries(URL.parse(parameters['redirect_uri'] ?? '')?.searchParams ?? []);

/** A refusal that travels to the client; gives its error code. */
export function errorFrom(
  environment: Environment,
  request: AuthorizationRequest,
  visit: Visit,
  allowed: readonly string[],
): string {
  const fields = callbackFields(environment, visit);
  mustAnswer(environment, request, fields);
  const { error, error_description: description = '', error_uri: uri } = fields;
  must(fields['code'] === undefined, 'an error comes with a code');
  must(error !== undefined && error !== '', 'the answer has no error');
  warnOfUnexpected(environment, fields, ['error', 'error_description', 'error_uri', 'state', 'session_state', 'iss']);
  environment.warnUnless(!/[\r\n\t]/.test(description), 'error_description has a line break or a tab');
  must(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(description), 'error_description has characters that RFC 6749 bars');
  must(uri === undefined || URL.canParse(uri), 'error_uri is not a URI');
  must(allowed.includes(error), `the error is ${error}, not ${allowed.join(' or ')}`);
  return error;
}

/** RFC 6749 §4.1.2 and RFC 9207 §2.4: the state byte by byte, and the issuer where it is named. */
function mustAnswer(environment: Environment, request: AuthorizationRequest, fields: Fields): void {
  const { state, iss } = fields;
  must((state ?? null) === (request.parameters['state'] ?? null), 'state did not come back as it was sent');
  const promised = environment.metadata['authorization_response_iss_parameter_supported'] === true;
  must(iss !== undefined || !promised, 'iss is promised by discovery and missing');
  must(iss === undefined || iss === environment.issuer, `iss is ${iss}`);
}

function warnOfUnexpected(environment: Environment, fields: Fields, expected: readonly string[]): void {
  const unexpected = Object.keys(fields).filter((name) => !expected.includes(name));
  environment.warnUnless(unexpected.length === 0, `unexpected parameters in the answer: ${unexpected.join(', ')}`);
}
