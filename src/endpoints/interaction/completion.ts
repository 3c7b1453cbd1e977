import { encodeBase64url } from '../../core/base64url.ts';
import { hmacSha256, sha256 } from '../../core/crypto.ts';
import {
  brandId,
  type ClientId,
  type FamilyId,
  newId,
  newTimedId,
  type RunId,
  type SessionId,
} from '../../core/ids.ts';
import type { KeyRing } from '../../core/key_ring.ts';
import { unreachable } from '../../core/result.ts';
import { toNumericDate } from '../../core/time.ts';
import { acrOf } from '../../flow/acr.ts';
import { amrOf, authTimeOf, merge } from '../../flow/evidence.ts';
import type { Evidence, Run } from '../../flow/run.ts';
import { type CodeContent, sealCode } from '../../oidc/authorization_code.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { returns } from '../../oidc/authorize/response_type.ts';
import { familyLifetimeSeconds, leastFamilySeconds } from '../../oidc/family_lifetime.ts';
import type { DeviceDecision } from '../../oidc/ports.ts';
import type { Realm } from '../../oidc/realm.ts';
import type { Exchange } from '../exchange.ts';
import type { Destination, DestinationOf } from './destination.ts';
import { deviceChange } from './known_device.ts';
import type { FoundDevice, FoundSession, RunResult, SessionChange } from './ports.ts';

/** What a run that succeeded comes to, before anything is written: code or device and session, fixed once. */
export type Completion = {
  readonly result: RunResult;
  /** The one that the browser has from now on. */
  readonly sessionId: SessionId;
  readonly session: SessionChange | null;
  readonly decision: DeviceDecision | null;
};

export type CompletionFacts = {
  readonly exchange: Exchange;
  readonly ring: KeyRing;
  readonly destination: Destination;
  readonly run: Run;
  /** The session that the browser came with. */
  readonly session: FoundSession | null;
  /** Where there is none: the one that was idle for too long. */
  readonly idleSession: FoundSession | null;
  /** What the browser is known as. */
  readonly devices: readonly FoundDevice[];
};

/** Whether the run itself proved who is there, so that it makes or renews a session. */
export const isProved = ({ evidence }: Run): boolean => evidence.some(({ fromSession }) => fromSession !== true);

export function complete(facts: CompletionFacts): Completion {
  const { ring, destination, run } = facts;
  const session = isProved(run) ? sessionChange(facts) : null;
  const sessionId =
    session?.sessionId ?? facts.session?.id ?? unreachable('a run succeeded without proof and without session');
  const result: RunResult = {
    ...(destination.kind === 'client' ? answerFor(facts, destination, sessionId) : noAnswer),
    sessionKeyId: session === null ? null : ring.newest().keyId,
    device: session?.device ? encodeBase64url(session.device.tokenHash) : null,
  };
  const approval = destination.kind === 'device' ? signInOf(run, sessionId) : null;
  return { result, sessionId, session, decision: decisionOn(destination, run, approval) };
}

/** A person, or the flow's policy, said no: a device that waits is told so. null: none waits. */
export const denialOf = (destination: Destination, run: Run): DeviceDecision | null =>
  decisionOn(destination, run, null);

function decisionOn(
  destination: Destination,
  { userId }: Run,
  approval: DeviceDecision['approval'],
): DeviceDecision | null {
  if (destination.kind !== 'device') return null;
  const { familyId, clientId } = destination.request;
  return { familyId: brandId<FamilyId>(familyId), clientId: brandId<ClientId>(clientId), userId, approval };
}

/** How the person was signed in, as tokens will say. */
function signInOf({ evidence, demand }: Run, sessionId: SessionId): NonNullable<DeviceDecision['approval']> {
  const authTime = authTimeOf(evidence) ?? unreachable('a run succeeded without an authentication');
  return {
    sessionId,
    authTime: toNumericDate(authTime),
    acr: acrOf(evidence, demand.acr.values),
    amr: amrOf(evidence),
  };
}

type ClientAnswer = Pick<RunResult, 'familyId' | 'frontFamilyId' | 'code'>;

const noAnswer: ClientAnswer = { familyId: null, frontFamilyId: null, code: null };

function answerFor(
  facts: CompletionFacts,
  { client, request }: DestinationOf<'client'>,
  sessionId: SessionId,
): ClientAnswer {
  const { realm, now } = facts.exchange;
  const { codeLifetimeSeconds } = realm.settings;
  const tooOld = now - request.receivedAt > realm.settings.requestAgeSeconds * 1000;
  const frontFamilyId = returns(request.responseType, 'token')
    ? newTimedId<FamilyId>(now + leastFamilySeconds(realm, client, codeLifetimeSeconds) * 1000)
    : null;
  return {
    frontFamilyId,
    familyId: newTimedId<FamilyId>(now + familyLifetimeSeconds(realm, client, codeLifetimeSeconds) * 1000),
    code: tooOld ? null : codeContent(facts, request, sessionId, frontFamilyId),
  };
}

function codeContent(
  { exchange, run }: CompletionFacts,
  request: AuthorizationRequest,
  sessionId: SessionId,
  frontFamilyId: FamilyId | null,
): CodeContent {
  const { realm, now } = exchange;
  const { authTime, acr, amr } = signInOf(run, sessionId);
  return {
    client_id: request.clientId,
    user_id: run.userId ?? unreachable('a run succeeded without a user'),
    session_id: sessionId,
    redirect_uri: request.target.redirectUri,
    scope: [...request.scope],
    audience: [...request.audience],
    nonce: request.nonce,
    code_challenge: request.codeChallenge,
    ...(request.dpopJkt === undefined ? {} : { dpop_jkt: request.dpopJkt }),
    auth_time: authTime,
    acr,
    amr: [...amr],
    claims: { userinfo: [...request.claims.userinfo], id_token: [...request.claims.idToken] },
    front_family_id: frontFamilyId,
    issued_at: now,
    expires_at: now + realm.settings.codeLifetimeSeconds * 1000,
  };
}

export const codeOf = (ring: KeyRing, realm: Realm, { familyId }: RunResult, content: CodeContent): string =>
  sealCode(ring, realm.id, {
    familyId: brandId<FamilyId>(familyId ?? unreachable('a code without a family')),
    content: inOneOrder(content),
  });

/** jsonb gives members back in its own order, and another order would seal to another code. */
const inOneOrder = (content: CodeContent): CodeContent => ({
  client_id: content.client_id,
  user_id: content.user_id,
  session_id: content.session_id,
  redirect_uri: content.redirect_uri,
  scope: content.scope,
  audience: content.audience,
  nonce: content.nonce,
  code_challenge: content.code_challenge,
  ...(content.dpop_jkt === undefined ? {} : { dpop_jkt: content.dpop_jkt }),
  auth_time: content.auth_time,
  acr: content.acr,
  amr: content.amr,
  claims: { userinfo: content.claims.userinfo, id_token: content.claims.id_token },
  front_family_id: content.front_family_id,
  issued_at: content.issued_at,
  expires_at: content.expires_at,
});

/**
 * The same person's session goes on under a new cookie; anyone else gets a new one and the former ends. One that was idle
 * for too long is treated alike, since what hangs on it would otherwise outlive every sign-out of this browser; but what
 * was proved in it counts no more.
 */
function sessionChange({ exchange, ring, run, session, idleSession, devices }: CompletionFacts): SessionChange {
  const { realm, address, agent } = exchange;
  const former = session ?? idleSession;
  const renews = former !== null && former.user.userId === run.userId;
  const cookie =
    sessionCookie(ring, run.id, ring.newest().keyId) ?? unreachable('the newest ring entry is not in the ring');
  return {
    sessionId: renews ? former.id : newId<SessionId>(),
    secretHash: sha256(cookie),
    evidence: renews && session !== null ? merge(session.evidence, own(run.evidence)) : own(run.evidence),
    absoluteLifetimeSeconds: realm.settings.sessionAbsoluteLifetimeSeconds,
    former: former && { sessionId: former.id, userId: former.user.userId },
    device: deviceChange(ring, run, devices),
    address,
    agent,
  };
}

const own = (evidence: readonly Evidence[]): readonly Evidence[] =>
  evidence.map(({ method, userId, at }) => ({ method, userId, at }));

/**
 * Derived from the run, not random, so that a browser whose answer was lost gets the same cookie with the same redirect.
 * Nobody without the ring can compute it; the database keeps its hash. null: the entry has left the ring.
 */
export function sessionCookie(ring: KeyRing, runId: RunId, keyId: string): string | null {
  const entry = ring.find(keyId);
  return entry === undefined ? null : encodeBase64url(hmacSha256(entry.derive('session cookie'), runId));
}
