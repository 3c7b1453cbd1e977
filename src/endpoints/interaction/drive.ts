import { sha256 } from '../../core/crypto.ts';
import { brandId, type ClientId, type UserId } from '../../core/ids.ts';
import { step } from '../../flow/engine.ts';
import type { Answer, Effect, Question } from '../../flow/node.ts';
import { nodeTypes } from '../../flow/nodes/index.ts';
import type { Run, UserState } from '../../flow/run.ts';
import type { Arrival, View } from '../../flow/step.ts';
import { readCookie } from '../cookies.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { type Destination, subjectFor } from './destination.ts';
import { carriedDevices, deviceHash } from './known_device.ts';
import type { FlowVersion, FoundSession } from './ports.ts';

/** Where a run stands after one arrival, with what had to be looked up on the way. */
export type Driven = {
  readonly run: Run;
  readonly effects: readonly Effect[];
  readonly view: Exclude<View, { kind: 'question' }>;
  /** The browser's session; undefined: nobody asked. */
  readonly session: FoundSession | null | undefined;
};

type Lookups = { session: FoundSession | null | undefined };

type Standing = {
  readonly run: Run;
  readonly user: UserState | null;
  readonly version: FlowVersion;
  readonly destination: Destination;
};

/** Moves a run by one arrival, answering the engine's questions until a screen or an end is reached. */
export async function drive(
  deps: Dependencies,
  exchange: Exchange,
  { run, user, version, destination }: Standing,
  arrival: Arrival,
): Promise<Driven> {
  const { realm } = exchange;
  // What was proved before the realm's own `valid_from` is as dead as what was proved before the user's.
  const validFrom = Math.max(user?.validFrom ?? 0, realm.validFrom);
  const context = {
    now: exchange.now,
    registry: nodeTypes,
    user: user && { ...user, validFrom },
    subjectOf: (userId: UserId) => subjectFor(destination, realm, userId),
  };
  const lookups: Lookups = { session: undefined };
  let moved = step(run, version.definition, arrival, context);
  while (moved.view.kind === 'question') {
    const { question, pending } = moved.view;
    const given = await answer(deps, exchange, moved.run, question, lookups);
    moved = step(moved.run, version.definition, { kind: 'answer', pending, answer: given }, context);
  }
  return { run: moved.run, effects: moved.effects, view: moved.view, session: lookups.session };
}

async function answer(
  deps: Dependencies,
  exchange: Exchange,
  run: Run,
  question: Question,
  lookups: Lookups,
): Promise<Answer> {
  switch (question.kind) {
    case 'session': {
      const session = await sessionOf(deps, exchange, lookups, run.demand.consent?.audience ?? null);
      return { kind: 'session', session: session && { user: session.user, evidence: session.evidence } };
    }
    case 'verify_password': {
      const { realm, address, forwarded, agent, now, request } = exchange;
      const { username, password } = question;
      const deviceHashes = carriedDevices(exchange).map(deviceHash);
      const from = { address, forwarded, agent, deviceHashes };
      const attempt = { realm, username, password, ...from, now, signal: request.signal };
      return { kind: 'verify_password', verdict: await deps.verifyPassword(attempt) };
    }
    case 'consent': {
      // The session was read together with its consent to this client: one round trip for a silent sign-in.
      const { session } = lookups;
      if (session?.user.userId === question.userId && run.demand.consent?.audience === question.audience) {
        return { kind: 'consent', items: session.consentedScope ?? [] };
      }
      const clientId = brandId<ClientId>(question.audience);
      return {
        kind: 'consent',
        items: await deps.consents.find({ realmId: run.realmId, userId: question.userId, clientId }),
      };
    }
  }
}

/** The browser's living session, looked up once per exchange. */
export async function sessionOf(
  { sessions }: Pick<Dependencies, 'sessions'>,
  exchange: Exchange,
  lookups: Lookups,
  audience: string | null,
): Promise<FoundSession | null> {
  if (lookups.session !== undefined) return lookups.session;
  const { sessionIdleLifetimeSeconds } = exchange.realm.settings;
  lookups.session = await findSession(sessions, exchange, audience, sessionIdleLifetimeSeconds);
  return lookups.session;
}

/** The session of the browser's cookie even if it was idle for too long: what hangs on it lives as long as it does. */
export const idleSessionOf = (
  { sessions }: Pick<Dependencies, 'sessions'>,
  exchange: Exchange,
): Promise<FoundSession | null> =>
  findSession(sessions, exchange, null, exchange.realm.settings.sessionAbsoluteLifetimeSeconds);

async function findSession(
  sessions: Dependencies['sessions'],
  { request, realm }: Exchange,
  audience: string | null,
  idleLifetimeSeconds: number,
): Promise<FoundSession | null> {
  const cookie = readCookie(request, realm, 'session');
  if (cookie === null) return null;
  const found = await sessions.find({
    realmId: realm.id,
    secretHash: sha256(cookie),
    clientId: audience === null ? null : brandId<ClientId>(audience),
    idleLifetimeSeconds,
  });
  return found !== null && found.createdAt >= realm.validFrom ? found : null;
}
