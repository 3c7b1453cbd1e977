import { type Static, Type } from '@sinclair/typebox';
import { namesIn } from '../../core/name_list.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { allowsExchange } from '../../core/settings.ts';
import { type AccessTokenClaims, audienceOf, type Exchanged, familyOfJti } from '../access_token.ts';
import { actingFor, actorsIn, mostActors } from '../actor.ts';
import { audienceFor } from '../authorize/resource.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';
import { type LiveToken, liveToken } from '../live_token.ts';
import { defineParameters } from '../parameters.ts';
import type { Families } from '../ports.ts';
import { scopeTokens } from '../scope.ts';
import { shareSubjects } from '../subject.ts';
import type { GrantFacts, GrantType, Issue } from './grant.ts';

const token = Type.String({ maxLength: 16_384 });
const tokenType = Type.String({ maxLength: 128 });
const targets = Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 10 }));
const schema = Type.Object({
  subject_token: token,
  subject_token_type: tokenType,
  actor_token: Type.Optional(token),
  actor_token_type: Type.Optional(tokenType),
  requested_token_type: Type.Optional(tokenType),
  scope: Type.Optional(Type.String({ maxLength: 2048 })),
  resource: targets,
  audience: targets,
});
const parameters = defineParameters(schema);
type Sent = Static<typeof schema>;

/** RFC 8693 §3. Only access tokens of this realm say by their family whether they still count. */
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const acceptedTypes: readonly string[] = [accessToken, 'urn:ietf:params:oauth:token-type:jwt'];

/**
 * RFC 8693. An access token for another one, for another resource: never wider, never longer, and dead when the first one's
 * family is, since it carries that family in its `jti`. Nothing is written. Off until the settings `tokenExchange…` of the
 * client, or of its realm, allow it.
 */
export const tokenExchange: GrantType = {
  type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  forClass: ['confidential'],
  givesNoIdToken: true,
  check({ form, ...facts }) {
    const sent = parameters.read(form);
    if (!sent.ok) return sent;
    const refused = refuseKind(sent.value, facts.client) ?? refuseTypes(sent.value);
    return refused === null ? ok((families) => exchange(families, facts, sent.value)) : err(refused);
  },
};

/** RFC 8693 §1.1: with an actor token it is delegation, without one impersonation; each is allowed by itself. */
function refuseKind({ actor_token }: Sent, { settings }: Client): Refusal | null {
  const kind = actor_token === undefined ? 'impersonation' : 'delegation';
  if (allowsExchange(settings.tokenExchange, kind)) return null;
  const needsActor = kind === 'impersonation' && allowsExchange(settings.tokenExchange, 'delegation');
  return needsActor
    ? refusal(
        'invalid_request',
        'this client exchanges by delegation only: actor_token is missing',
        policy,
        'actor_token',
      )
    : refusal('unauthorized_client', `this client may not exchange tokens by ${kind}`, policy);
}

const policy = 'setting tokenExchange';

function refuseTypes(sent: Sent): Refusal | null {
  const { requested_token_type: requested = accessToken } = sent;
  if (requested !== accessToken) {
    return refuse(`requested_token_type can only be ${accessToken}`, 'RFC 8693 §2.1', 'requested_token_type');
  }
  if (!acceptedTypes.includes(sent.subject_token_type)) return refuseType('subject_token_type');
  if (sent.actor_token === undefined) {
    return sent.actor_token_type === undefined
      ? null
      : refuse('actor_token_type goes with actor_token only', 'RFC 8693 §2.1', 'actor_token_type');
  }
  if (sent.actor_token_type === undefined) {
    return refuse('actor_token_type is missing', 'RFC 8693 §2.1', 'actor_token_type');
  }
  return acceptedTypes.includes(sent.actor_token_type) ? null : refuseType('actor_token_type');
}

/** RFC 8693 §2.2.2: whatever is wrong with the tokens is `invalid_request`. */
const refuse = (description: string, rule: string, parameter: string): Refusal =>
  refusal('invalid_request', description, rule, parameter);

const refuseType = (parameter: string): Refusal =>
  refuse(`${parameter} must be one of ${acceptedTypes.join(' ')}`, 'RFC 8693 §2.1', parameter);

/** One description for all that could be probed; the rule behind the error id tells the operator which it was. */
const refuseSubject = (rule: string): Refusal =>
  refuse('the subject token is invalid, expired, revoked or not for this client to exchange', rule, 'subject_token');
const refuseActor = (rule: string): Refusal =>
  refuse('the actor token is invalid, expired, revoked or not issued to this client', rule, 'actor_token');

type Facts = Omit<GrantFacts, 'form'>;

async function exchange(families: Families, facts: Facts, sent: Sent): Promise<Result<Issue, Refusal>> {
  const { client, realm } = facts;
  const [subject, actor] = await Promise.all([
    readSubject(families, facts, sent.subject_token),
    sent.actor_token === undefined ? ok(null) : readActor(families, facts, sent.actor_token),
  ]);
  if (!subject.ok) return subject;
  if (!actor.ok) return actor;
  const scope = scopeWithin(sent.scope, subject.value.claims, client);
  if (!scope.ok) return scope;
  const asked = [...(sent.resource ?? []), ...(sent.audience ?? [])];
  const audience = audienceFor(asked, client, realm.issuer, scope.value);
  if (!audience.ok) return audience;
  const exchanged = exchangedFor(subject.value.claims, actor.value);
  if (actorsIn(exchanged.act) > mostActors) {
    return err(refuse('the token was delegated too often', 'RFC 8693 §4.1', 'subject_token'));
  }
  return ok(issue(client, subject.value, { scope: scope.value, audience: audience.value }, exchanged));
}

/** The policy comes first, so that a token which it refuses costs no query. */
async function readSubject(
  families: Families,
  { client, realm, senderKey, tokens }: Facts,
  sent: string,
): Promise<Result<LiveToken, Refusal>> {
  const claims = await tokens.read(sent);
  if (claims === null) return err(refuseSubject('RFC 8693 §2.2.2'));
  const { tokenExchangeClients, tokenExchangeAudiences } = client.settings;
  if (!namesIn(tokenExchangeClients).includes(claims.client_id)) {
    return err(refuseSubject('setting tokenExchangeClients'));
  }
  const names = [client.clientId, ...namesIn(tokenExchangeAudiences)];
  const isAddressed = claims.client_id === client.clientId || audienceOf(claims).some((name) => names.includes(name));
  if (!isAddressed) return err(refuseSubject('setting tokenExchangeAudiences'));
  const mayShow = claims.client_id !== client.clientId || isShownByOwner(claims, senderKey);
  if (!mayShow) return err(refuseSubject('RFC 9449 §7.1'));
  const live = await liveToken(claims, realm, { families, findClient: tokens.findClient });
  if (live === null) return err(refuseSubject('RFC 8693 §2.2.2'));
  // What one sector calls a person must not be learned by another (OIDC Core §8.1).
  return live.family === null || shareSubjects(live.client, client) ? ok(live) : err(refuseSubject('OIDC Core §8.1'));
}

/**
 * RFC 9449 §7.1: a token that is bound to a key of this very client is used with a proof by that key, and an exchange does
 * not make a bearer token of it. Another client's key is not here to prove anything; see docs/decisions/0004.
 */
const isShownByOwner = ({ cnf }: AccessTokenClaims, senderKey: string | null): boolean =>
  cnf === undefined || cnf.jkt === senderKey;

/**
 * Who acts proves it by a token that was issued to the very client that asks: its own, or one of a person who signed in to
 * it. What is itself exchanged says that somebody acts for somebody else, and who would act then is anybody's guess.
 */
async function readActor(
  families: Families,
  { client, realm, senderKey, tokens }: Facts,
  sent: string,
): Promise<Result<AccessTokenClaims, Refusal>> {
  const claims = await tokens.read(sent);
  if (claims === null || claims.client_id !== client.clientId || claims.act !== undefined) {
    return err(refuseActor('RFC 8693 §2.2.2'));
  }
  if (!isShownByOwner(claims, senderKey)) return err(refuseActor('RFC 9449 §7.1'));
  const live = await liveToken(claims, realm, { families, findClient: tokens.findClient });
  const isOwn = live?.family === null ? claims.sub === client.clientId : live?.family.clientId === client.clientId;
  return isOwn ? ok(claims) : err(refuseActor('RFC 8693 §2.2.2'));
}

/** What both the subject token and the client have; with it `offline_access` would promise what never comes. */
function scopeWithin(
  asked: string | undefined,
  subject: AccessTokenClaims,
  client: Pick<Client, 'scope'>,
): Result<readonly string[], Refusal> {
  const most = scopeTokens(subject.scope).filter((name) => client.scope.includes(name) && name !== 'offline_access');
  const scope = asked === undefined ? most : scopeTokens(asked);
  return scope.length > 0 && scope.every((name) => most.includes(name)) ? ok(scope) : err(refuseScope);
}

const refuseScope = refusal(
  'invalid_scope',
  'scope asks for nothing, or for more than the subject token and this client have',
  'RFC 8693 §2.2.2',
  'scope',
);

/** Without an actor the chain stays as it is: who acted before is not washed off. */
const exchangedFor = (subject: AccessTokenClaims, actor: AccessTokenClaims | null): Exchanged => ({
  subject: subject.sub,
  subjectClientId: subject.client_id,
  expiresAt: actor === null ? subject.exp : Math.min(subject.exp, actor.exp),
  act: actor === null ? subject.act : actingFor(subject, actor),
  issuedTokenType: accessToken,
});

/** When and how the person authenticated goes along (RFC 9470 §6.1); claims asked for by name were for the other client. */
const issue = (
  { clientId }: Client,
  { claims, family }: LiveToken,
  granted: { readonly scope: readonly string[]; readonly audience: readonly string[] },
  exchanged: Exchanged,
): Issue => ({
  grant: {
    clientId,
    userId: family?.userId ?? null,
    sessionId: family?.sessionId ?? null,
    ...granted,
    authTime: claims.auth_time ?? null,
    acr: claims.acr ?? null,
    amr: [],
    claims: { userinfo: [], idToken: [] },
  },
  scope: granted.scope,
  familyId: familyOfJti(claims.jti),
  refreshToken: null,
  nonce: null,
  userClaims: {},
  exchanged,
});
