/**
 * The authorization endpoint's decision (RFC 6749 §4.1.1, OIDC Core §3.1.2): parameters and what is registered in, a
 * request or a refusal out. First who would receive the answer; only then the rules, in the order of the list below, whose
 * refusals travel to the client. It must not know HTTP, cookies or whether anyone is signed in.
 */
import { err, ok, type Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import { type ClaimsRequest, parseClaims } from '../claims_parameter.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';
import type { IdTokenHint } from '../id_token_hint.ts';
import { type Form, refusalOfFault, single } from '../parameters.ts';
import type { Realm } from '../realm.ts';
import { grantableScope } from '../scope.ts';
import { scopesOfClaims } from '../standard_claims.ts';
import { isSubject } from '../subject.ts';
import { type AcrDemand, checkAcr } from './acr_values.ts';
import { checkMaxAge } from './max_age.ts';
import { type AuthorizationParameters, authorizationParameters, longestState } from './parameters.ts';
import { checkCodeChallenge } from './pkce.ts';
import { checkPrompt, type Prompt } from './prompt.ts';
import { matchRedirectUri } from './redirect_uri.ts';
import { audienceFor } from './resource.ts';
import { checkResponseMode, defaultResponseMode, type ResponseMode } from './response_mode.ts';
import {
  canonicalResponseType,
  checkResponseType,
  isResponseType,
  type ResponseType,
  returns,
} from './response_type.ts';

/** Where the answer goes. Known before any rule may answer the client. */
export type ResponseTarget = {
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly state: string | null;
};

/** A request that every rule let pass. It is data: it is sealed or stored with the run that answers it. */
export type AuthorizationRequest = {
  readonly clientId: string;
  readonly target: ResponseTarget;
  readonly responseType: ResponseType;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly nonce: string | null;
  readonly codeChallenge: string | null;
  readonly prompt: readonly Prompt[];
  readonly maxAgeSeconds: number | null;
  readonly claims: ClaimsRequest;
  readonly acr: AcrDemand;
  /** What this client calls the one user who will do; null: anyone. */
  readonly subject: string | null;
  readonly loginHint: string | null;
  readonly uiLocales: readonly string[];
  readonly receivedAt: Instant;
};

export type AuthorizationRefusal =
  /** Nobody to trust with an answer: shown to the person (RFC 6749 §4.1.2.1). */
  | { readonly kind: 'page'; readonly refusal: Refusal }
  | { readonly kind: 'redirect'; readonly refusal: Refusal; readonly client: Client; readonly target: ResponseTarget };

type Input = {
  readonly parameters: AuthorizationParameters;
  readonly client: Client;
  readonly realm: Realm;
  readonly hint: Result<IdTokenHint, Refusal> | null;
  readonly objectRefusal: Refusal | null;
  readonly acrValues: readonly string[];
};

type Rule<Value> = (input: Input) => Result<Value, Refusal>;

/** The rules in their order; what each lets pass becomes the member of its name. */
const rules = {
  requestObject: ({ parameters, objectRefusal }) =>
    objectRefusal === null ? refuseUnsupported(parameters) : err(objectRefusal),
  responseType: ({ parameters, client }) => checkResponseType(parameters.response_type, client),
  responseMode: ({ parameters }) => checkResponseMode(parameters.response_mode, typeOf(parameters)),
  codeChallenge: ({ parameters, client }) =>
    returns(typeOf(parameters), 'code') ? checkCodeChallenge(parameters, client) : ok(null),
  nonce: ({ parameters }) => checkNonce(parameters),
  granted: ({ parameters, client, realm }) => {
    const grantable = grantableScope(parameters.scope, client);
    if (!grantable.ok) return grantable;
    const type = typeOf(parameters);
    if (returns(type, 'id_token') && !grantable.value.includes('openid')) return err(withoutOpenid);
    // OIDC Core §11: without a code there is no refresh token to be had.
    const scope = returns(type, 'code') ? grantable.value : grantable.value.filter((one) => one !== 'offline_access');
    const audience = audienceFor(parameters.resource, client, realm.issuer, scope);
    return audience.ok ? ok({ scope, audience: audience.value }) : audience;
  },
  prompt: ({ parameters }) => checkPrompt(parameters.prompt),
  maxAgeSeconds: ({ parameters, client }) => checkMaxAge(parameters.max_age, client),
  wanted: ({ parameters, client, hint, acrValues }) => {
    const asked = parseClaims(parameters.claims);
    if (!asked.ok) return asked;
    const claims = withinRegisteredScopes(asked.value, client);
    const subject = checkSubject(claims, client, hint);
    if (!subject.ok) return subject;
    const acr = checkAcr(parameters.acr_values, claims.acr, client, acrValues);
    return acr.ok ? ok({ claims, subject: subject.value, acr: acr.value }) : acr;
  },
} as const satisfies { readonly [name: string]: Rule<unknown> };

/** For the rules after `responseType`, which let only known ones pass. */
function typeOf({ response_type }: AuthorizationParameters): ResponseType {
  const canonical = canonicalResponseType(response_type ?? '');
  return isResponseType(canonical) ? canonical : 'code';
}

/** OIDC Core §3.1.2.1: without it the request is none of OpenID Connect's, so the ID token of its type could not be given. */
const withoutOpenid = refusal(
  'invalid_scope',
  'this response_type needs the scope openid',
  'OIDC Core §3.1.2.1',
  'scope',
);

/** OIDC Core §3.2.2.1, §3.3.2.11: an ID token from here must be bound to the request that asked for it. */
function checkNonce(parameters: AuthorizationParameters): Result<string | null, Refusal> {
  if (parameters.nonce === undefined && returns(typeOf(parameters), 'id_token')) {
    return err(refusal('invalid_request', 'nonce is required with this response_type', 'OIDC Core §3.2.2.1', 'nonce'));
  }
  return ok(parameters.nonce ?? null);
}

/** A client gets by name only what it could get by scope; the rest is left out like a scope it is not registered for. */
function withinRegisteredScopes(claims: ClaimsRequest, client: Pick<Client, 'scope'>): ClaimsRequest {
  const allowed = (names: readonly string[]): readonly string[] =>
    names.filter((name) => scopesOfClaims([name]).every((scope) => client.scope.includes(scope)));
  return { ...claims, userinfo: allowed(claims.userinfo), idToken: allowed(claims.idToken) };
}

type RuleName = keyof typeof rules;
type Passed = {
  readonly [Name in RuleName]: (typeof rules)[Name] extends Rule<infer Value> ? Value : never;
};

export type RequestFacts = {
  /** Of an opened request: the parameters of its request object are among the others. */
  readonly form: Form;
  /** Why the request object cannot be opened; null: it was, or there is none. */
  readonly objectRefusal: Refusal | null;
  /** Unknown, disabled and missing are one to the person. */
  readonly client: Client | null;
  readonly realm: Realm;
  /** `id_token_hint`, verified by the caller; null: none was sent. */
  readonly hint: Result<IdTokenHint, Refusal> | null;
  /** Authentication context classes that a sign-in can reach here. */
  readonly acrValues: readonly string[];
  readonly now: Instant;
};

export function decideAuthorization(facts: RequestFacts): Result<AuthorizationRequest, AuthorizationRefusal> {
  const { form, client, realm } = facts;
  const receiver = whoReceives(form, client);
  if (!receiver.ok) return err({ kind: 'page', refusal: receiver.error });
  const parameters = authorizationParameters.read(form);
  const target = targetOf(form, receiver.value);
  const redirectRefusal = (refused: Refusal) =>
    err({ kind: 'redirect' as const, refusal: refused, client: receiver.value.client, target });
  if (!parameters.ok) return redirectRefusal(parameters.error);
  const passed = applyRules({
    parameters: parameters.value,
    client: receiver.value.client,
    realm,
    hint: facts.hint,
    objectRefusal: facts.objectRefusal,
    acrValues: facts.acrValues,
  });
  if (!passed.ok) return redirectRefusal(passed.error);
  return ok(toRequest(receiver.value.client, parameters.value, target, passed.value, facts.now));
}

type Receiver = { readonly client: Client; readonly redirectUri: string };

/** RFC 6749 §4.1.2.1: with a missing, unknown or doubled client or redirect URI nothing is ever redirected. */
function whoReceives(form: Form, client: Client | null): Result<Receiver, Refusal> {
  const fault = form.faults.find(
    ({ parameter }) => parameter === null || ['client_id', 'redirect_uri'].includes(parameter),
  );
  if (fault !== undefined) return err(refusalOfFault(fault));
  if (form.values['client_id'] === undefined) {
    return err(refusal('invalid_request', 'client_id is missing', 'RFC 6749 §4.1.1', 'client_id'));
  }
  if (client === null)
    return err(refusal('invalid_client', 'client_id is not known here', 'RFC 6749 §4.1.2.1', 'client_id'));
  const redirectUri = matchRedirectUri(single(form, 'redirect_uri'), client.redirectUris, client.settings);
  return redirectUri.ok ? ok({ client, redirectUri: redirectUri.value }) : redirectUri;
}

/**
 * Where even a refusal goes: by the mode and with the state asked for, as far as they make sense. A request without a type
 * is answered where the client looks by its first registered one.
 */
function targetOf(form: Form, { client, redirectUri }: Receiver): ResponseTarget {
  const type = typeOf({ response_type: single(form, 'response_type') ?? client.responseTypes[0] ?? '' });
  const mode = checkResponseMode(single(form, 'response_mode'), type);
  const state = single(form, 'state') ?? null;
  return {
    redirectUri,
    responseMode: mode.ok ? mode.value : defaultResponseMode(type),
    state: state !== null && state.length <= longestState ? state : null,
  };
}

/** The one place where a record built in a loop is given its type: `rules` names every member. */
function applyRules(input: Input): Result<Passed, Refusal> {
  const passed: { [name: string]: unknown } = {};
  for (const [name, rule] of Object.entries<Rule<unknown>>(rules)) {
    const result = rule(input);
    if (!result.ok) return result;
    passed[name] = result.value;
  }
  return ok(passed as Passed);
}

/** OIDC Core §3.1.2.6: told by name, so that a client can fall back. A request object that nobody opened is never ignored. */
function refuseUnsupported(parameters: AuthorizationParameters): Result<null, Refusal> {
  if (parameters.request !== undefined) {
    return err(refusal('request_not_supported', 'request objects are not supported', 'OIDC Core §6.1', 'request'));
  }
  if (parameters.request_uri !== undefined) {
    return err(refusal('request_uri_not_supported', 'request_uri is not supported', 'OIDC Core §6.2', 'request_uri'));
  }
  if (parameters.registration !== undefined) {
    return err(
      refusal('registration_not_supported', 'registration is not supported', 'OIDC Core §7.2.1', 'registration'),
    );
  }
  return ok(null);
}

/** OIDC Core §3.1.2.1, §5.5.1: the one user whom the hint or the `sub` claim names; two that differ can never be met. */
function checkSubject(claims: ClaimsRequest, client: Client, hint: Input['hint']): Result<string | null, Refusal> {
  if (hint !== null && !hint.ok) return hint;
  const byHint = hint?.value.subject ?? null;
  const subject = claims.subject ?? byHint;
  if (subject === null) return ok(null);
  if (!isSubject(client, subject) || (byHint !== null && byHint !== subject)) {
    return err(refusal('login_required', 'the subject asked for cannot sign in', 'OIDC Core §5.5.1', 'claims'));
  }
  return ok(subject);
}

function toRequest(
  client: Client,
  parameters: AuthorizationParameters,
  target: ResponseTarget,
  passed: Passed,
  now: Instant,
): AuthorizationRequest {
  return {
    clientId: client.clientId,
    target,
    responseType: passed.responseType,
    scope: passed.granted.scope,
    audience: passed.granted.audience,
    nonce: passed.nonce,
    codeChallenge: passed.codeChallenge,
    prompt: passed.prompt,
    maxAgeSeconds: passed.maxAgeSeconds,
    claims: passed.wanted.claims,
    acr: passed.wanted.acr,
    subject: passed.wanted.subject,
    loginHint: parameters.login_hint ?? null,
    uiLocales: words(parameters.ui_locales),
    receivedAt: now,
  };
}

const words = (text: string | undefined): readonly string[] => text?.split(' ').filter((word) => word !== '') ?? [];
