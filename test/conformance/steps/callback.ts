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
  const { method, path, query, form, contentType } = end.request;
  must(path === callbackPath, `the browser came back to ${path}`);
  if (environment.variant.responseMode === 'default') {
    must(method === 'GET', `the answer came by ${method}`);
    return fieldsOf(query);
  }
  must(method === 'POST', `the answer came by ${method}, not by POST`);
  must(/^application\/x-www-form-urlencoded *(;|$)/i.test(contentType ?? ''), `the form came as ${contentType}`);
  must(!query.has('code') && !query.has('error'), 'the answer is in the query as well');
  return fieldsOf(form);
}

/** What a success consists of, in every module. */
export function codeFrom(environment: Environment, request: AuthorizationRequest, visit: Visit): string {
  const fields = callbackFields(environment, visit);
  must(fields['error'] === undefined, `refused: ${fields['error']} (${fields['error_description']})`);
  mustAnswer(environment, request, fields);
  warnOfUnexpected(environment, fields, ['code', 'state', 'iss', 'session_state']);
  const code = fields['code'];
  must(code !== undefined && code !== '', 'the answer has no code');
  mustBeUnguessable('the code', code);
  return code;
}

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
