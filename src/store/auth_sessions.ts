import { sql as query } from 'drizzle-orm';
import { brandId, type ClientId, newId, type RealmId, type RunId, type SessionId, type UserId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import type { Effect } from '../flow/node.ts';
import type { Evidence, Run, UserState } from '../flow/run.ts';
import type { DeviceDecision } from '../oidc/ports.ts';
import { type Audit, isAuditEventName } from './audit.ts';
import type { createConsents } from './consents.ts';
import type { Database, Executor } from './database.ts';
import { decideDevice } from './device_authorizations.ts';
import { guarded } from './fault.ts';
import { type DeviceChange, keepDevice } from './known_devices.ts';

/** Runs that are stored. A run becomes a row once, moves by compare-and-set on its step, and completes once. */

/** What the edge keeps beside the engine's run: documents that only it reads. */
export type RunDocuments<Request extends object, Result extends object> = {
  readonly request: Request;
  readonly bindingHash: Uint8Array | null;
  readonly result: Result | null;
};

export type StoredRun<Request extends object, Result extends object> = RunDocuments<Request, Result> & {
  readonly run: Run;
  /** The proven user as the database has them now. */
  readonly user: UserState | null;
};

/** The browser's session that a completing run makes or renews. */
export type SessionChange = {
  /** Its id: fixed with the run's result. */
  readonly sessionId: SessionId;
  readonly secretHash: Uint8Array;
  readonly evidence: readonly Evidence[];
  readonly absoluteLifetimeSeconds: number;
  /** The session that the browser came with: the same user's is renewed, another's ends. */
  readonly former: { readonly sessionId: SessionId; readonly userId: UserId } | null;
  /** The browser as a known device of this person; null: no password was given. */
  readonly device: DeviceChange | null;
  readonly address: string | null;
  readonly agent: string | null;
};

/**
 * `lost`: another submit moved the run first. `user_gone`: deleted, disabled or signed out everywhere meanwhile.
 * `device_gone`: the device that the run decides about was decided about elsewhere, or has expired.
 */
export type Saved = 'saved' | 'lost' | 'user_gone' | 'device_gone';

/** Where a run was before this move: in its handle, or in its row at this step. */
export type Origin = { readonly kind: 'sealed' } | { readonly kind: 'stored'; readonly step: number };

export type Move<Request extends object, Result extends object> = RunDocuments<Request, Result> & {
  readonly run: Run;
  readonly origin: Origin;
  readonly effects: readonly Effect[];
  /** null: the run makes no session. */
  readonly session: SessionChange | null;
  /** null: the run decides about no device. */
  readonly decision: DeviceDecision | null;
  readonly address: string | null;
  readonly agent: string | null;
};

type RunColumns = {
  readonly id: string;
  readonly realm_id: string;
  readonly flow_version_id: string;
  readonly node: string;
  readonly step: number;
  readonly status: Run['status'];
  readonly failure: Run['failure'];
  readonly user_id: string | null;
  readonly evidence: Run['evidence'];
  readonly execution_state: Run['state'];
  readonly last_ui_output: Run['lastScreen'];
  readonly demand: Run['demand'];
  readonly request: object;
  readonly binding_hash: Uint8Array | null;
  readonly trace: Run['trace'];
  readonly result: object | null;
  readonly started_at: number;
  readonly expires_at: number;
  readonly username: string | null;
  readonly enabled: boolean | null;
  readonly valid_from: number | null;
};

export const createAuthSessions = <Request extends object, Result extends object>(
  database: Database,
  consents: Pick<ReturnType<typeof createConsents>, 'remember'>,
  audit: Audit,
) =>
  guarded({
    async find(realmId: RealmId, runId: RunId): Promise<StoredRun<Request, Result> | null> {
      const [row] = await database.sql<RunColumns[]>`
        SELECT r.*, limen_instant_of(r.id) AS expires_at, u.username, u.enabled, u.valid_from
        FROM auth_sessions r LEFT JOIN users u ON u.id = r.user_id AND u.realm_id = r.realm_id
        WHERE r.id = ${runId}::uuid AND r.realm_id = ${realmId}::uuid`;
      return row === undefined ? null : storedRun<Request, Result>(row);
    },

    /** The run, its effects and its session, in one transaction, or nothing of them. */
    save(move: Move<Request, Result>): Promise<Saved> {
      return saveMove(database, consents, audit, move);
    },

    /** The first browser to open a run that was stored before any browser held it. False: another one did. */
    async bind(realmId: RealmId, runId: RunId, bindingHash: Uint8Array): Promise<boolean> {
      const bound = await database.sql`
        UPDATE auth_sessions SET binding_hash = ${bindingHash}::bytea
        WHERE id = ${runId}::uuid AND realm_id = ${realmId}::uuid AND binding_hash IS NULL`;
      return bound.count === 1;
    },
  });

/** Undoes the transaction and says why; never leaves this file. */
class Undo extends Error {
  readonly saved: Saved;

  constructor(saved: Saved) {
    super(saved);
    this.saved = saved;
  }
}

async function saveMove<Request extends object, Result extends object>(
  database: Database,
  consents: Pick<ReturnType<typeof createConsents>, 'remember'>,
  audit: Audit,
  move: Move<Request, Result>,
): Promise<Saved> {
  try {
    await database.transaction(async (executor) => {
      const written = move.origin.kind === 'sealed' ? await insertRun(executor, move) : await updateRun(executor, move);
      if (!written) throw new Undo('lost');
      if (move.session !== null) await changeSession(executor, audit, move, move.session);
      if (move.decision !== null) {
        const { run, decision, address, agent } = move;
        const decided = await decideDevice(executor, audit, run.realmId, decision, { address, agent });
        if (!decided) throw new Undo('device_gone');
      }
      for (const effect of move.effects) await apply(executor, consents, audit, move, effect);
    });
    return 'saved';
  } catch (thrown) {
    if (thrown instanceof Undo) return thrown.saved;
    throw thrown;
  }
}

const document = (value: unknown) => query`${value === null ? null : JSON.stringify(value)}::jsonb`;

async function insertRun(
  executor: Executor,
  { run, request, bindingHash, result }: Move<object, object>,
): Promise<boolean> {
  const rows = await executor.execute(query`
    INSERT INTO auth_sessions
      (id, realm_id, flow_version_id, node, step, status, failure, user_id, evidence, execution_state, last_ui_output,
       demand, request, binding_hash, trace, result, started_at, completed_at)
    VALUES (${run.id}::uuid, ${run.realmId}::uuid, ${run.flowVersionId}::uuid, ${run.node}, ${run.step}, ${run.status},
       ${run.failure}, ${run.userId}::uuid, ${document(run.evidence)}, ${document(run.state)}, ${document(run.lastScreen)},
       ${document(run.demand)}, ${document(request)}, ${bindingHash}::bytea, ${document(run.trace)}, ${document(result)},
       ${run.startedAt}::timestamptz, ${run.status === 'completed' ? query`limen_now()` : null})
    ON CONFLICT (id) DO NOTHING RETURNING id`);
  return rows.length === 1;
}

/** A step answers one screen, so the step and the screen's node are what is compared. */
async function updateRun(
  executor: Executor,
  { run, origin, result, bindingHash }: Move<object, object>,
): Promise<boolean> {
  const step = origin.kind === 'stored' ? origin.step : unreachable('a sealed run has no row to update');
  const rows = await executor.execute(query`
    UPDATE auth_sessions SET
      binding_hash = ${bindingHash}::bytea, flow_version_id = ${run.flowVersionId}::uuid, node = ${run.node}, step = ${run.step}, status = ${run.status},
      failure = ${run.failure}, user_id = ${run.userId}::uuid, evidence = ${document(run.evidence)},
      execution_state = ${document(run.state)}, last_ui_output = ${document(run.lastScreen)},
      trace = ${document(run.trace)}, result = ${document(result)},
      completed_at = ${run.status === 'completed' ? query`limen_now()` : null}
    WHERE id = ${run.id}::uuid AND realm_id = ${run.realmId}::uuid AND step = ${step} AND status IN ('active', 'waiting')
    RETURNING id`);
  return rows.length === 1;
}

/**
 * The cookie changes at every authentication. The same user's session goes on under it, so that what other applications
 * hold lives on; another user's session ends.
 */
async function changeSession(
  executor: Executor,
  audit: Audit,
  { run }: Move<object, object>,
  change: SessionChange,
): Promise<void> {
  const { former, sessionId } = change;
  const renews = former !== null && former.userId === run.userId && former.sessionId === sessionId;
  if (former !== null && former.userId !== run.userId) await endFormer(executor, audit, run, former, change);
  const rows = renews ? await renewSession(executor, run, change) : await insertSession(executor, run, change);
  if (rows.length !== 1) throw new Undo('user_gone');
  const { realmId } = run;
  const userId = run.userId ?? unreachable('a session of nobody');
  const { address, agent, device } = change;
  if (device !== null) await keepDevice(executor, { realmId, userId, address, agent }, device);
  if (renews) return;
  const event = { event: 'session.started', realmId, userId, sessionId, address, agent } as const;
  await audit.record(device === null ? event : { ...event, detail: { device: device.kind } }, executor);
}

async function endFormer(
  executor: Executor,
  audit: Audit,
  { realmId }: Run,
  { sessionId, userId }: NonNullable<SessionChange['former']>,
  { address, agent }: SessionChange,
): Promise<void> {
  const ended = await executor.execute(query`
    UPDATE sso_sessions SET ended_at = limen_now()
    WHERE id = ${sessionId}::uuid AND realm_id = ${realmId}::uuid AND ended_at IS NULL RETURNING id`);
  if (ended.length === 0) return;
  const detail = { reason: 'another user signed in in this browser' };
  await audit.record({ event: 'session.ended', realmId, userId, sessionId, address, agent, detail }, executor);
}

const storedEvidence = ({ evidence }: SessionChange) => document(evidence.map(({ method, at }) => ({ method, at })));

const renewSession = (executor: Executor, run: Run, change: SessionChange) =>
  executor.execute(query`
    UPDATE sso_sessions s SET secret_hash = ${change.secretHash}::bytea, evidence = ${storedEvidence(change)},
      seen_at = limen_now(), expires_at = limen_now() + make_interval(secs => ${change.absoluteLifetimeSeconds}),
      address = ${change.address}, agent = ${change.agent}
    FROM users u
    WHERE s.id = ${change.sessionId}::uuid AND s.realm_id = ${run.realmId}::uuid AND s.ended_at IS NULL
      AND u.id = s.user_id AND u.enabled AND u.valid_from <= s.created_at
    RETURNING s.id`);

const insertSession = (executor: Executor, run: Run, change: SessionChange) =>
  executor.execute(query`
    INSERT INTO sso_sessions (id, realm_id, user_id, secret_hash, evidence, created_at, seen_at, expires_at, address, agent)
    SELECT ${change.sessionId}::uuid, u.realm_id, u.id, ${change.secretHash}::bytea, ${storedEvidence(change)},
           limen_now(), limen_now(), limen_now() + make_interval(secs => ${change.absoluteLifetimeSeconds}),
           ${change.address}, ${change.agent}
    FROM users u
    WHERE u.id = ${run.userId}::uuid AND u.realm_id = ${run.realmId}::uuid AND u.enabled
      AND u.valid_from <= ${oldestEvidence(change)}::timestamptz
    RETURNING id`);

/** What was proved before `valid_from` is dead, and so is what would be made of it. */
const oldestEvidence = ({ evidence }: SessionChange): number => Math.min(...evidence.map(({ at }) => at));

async function apply(
  executor: Executor,
  consents: Pick<ReturnType<typeof createConsents>, 'remember'>,
  audit: Audit,
  { run, address, agent }: Move<object, object>,
  effect: Effect,
): Promise<void> {
  const { realmId, userId } = run;
  if (effect.kind === 'remember_consent') {
    const clientId = brandId<ClientId>(effect.audience);
    await consents.remember(executor, { realmId, userId: effect.userId, clientId }, effect.items);
    const detail = { scope: effect.items };
    const event = 'consent.granted' as const;
    await audit.record({ event, realmId, userId, clientId, address, agent, detail }, executor);
    return;
  }
  const event = isAuditEventName(effect.event) ? effect.event : unreachable(`a node audits "${effect.event}"`);
  await audit.record({ event, realmId, userId, address, agent, detail: effect.detail }, executor);
}

/** The one place where documents that this table alone wrote get their types back. */
function storedRun<Request extends object, Result extends object>(row: RunColumns): StoredRun<Request, Result> {
  return {
    run: {
      id: brandId<RunId>(row.id),
      realmId: brandId<RealmId>(row.realm_id),
      flowVersionId: row.flow_version_id,
      node: row.node,
      step: row.step,
      status: row.status,
      failure: row.failure,
      userId: row.user_id === null ? null : brandId<UserId>(row.user_id),
      evidence: row.evidence,
      state: row.execution_state,
      lastScreen: row.last_ui_output,
      demand: row.demand,
      startedAt: row.started_at,
      expiresAt: Math.trunc(row.expires_at),
      trace: row.trace,
    },
    request: row.request as Request,
    bindingHash: row.binding_hash,
    result: row.result as Result | null,
    user: userState(row),
  };
}

function userState({ user_id, username, enabled, valid_from }: RunColumns): UserState | null {
  if (user_id === null || username === null || enabled === null || valid_from === null) return null;
  return { userId: brandId<UserId>(user_id), username, enabled, validFrom: valid_from };
}

export const newSessionId = (): SessionId => newId<SessionId>();
