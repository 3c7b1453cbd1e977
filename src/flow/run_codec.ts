import { Value } from '@sinclair/typebox/value';
import { brandId, type RealmId, type RunId, type UserId } from '../core/ids.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import type { Demand, Evidence, Run, TraceEntry } from './run.ts';
import { type PackedDemand, type PackedEvidence, packedRunSchema, packedVersion } from './run_schema.ts';

/**
 * A run as short text, for the sealed handle in the URL: lists instead of objects, instants counted from the start, the
 * trace as numbers into a list of its words. Throws for evidence of anyone but the run's user: no such run is ever made.
 */
export function encodeRun(run: Run): string {
  const { startedAt } = run;
  return JSON.stringify([
    packedVersion,
    [run.id, run.realmId, run.flowVersionId],
    [run.node, run.step, run.status, run.failure],
    [run.userId, run.evidence.map((piece) => packEvidence(piece, run))],
    run.state.map(({ node, kept }) => [node, kept]),
    run.lastScreen,
    packDemand(run.demand),
    [startedAt, run.expiresAt - startedAt],
    packTrace(run.trace, startedAt),
  ]);
}

/** `malformed` for anything that `encodeRun` of this version does not give. */
export function decodeRun(text: string): Result<Run, 'malformed'> {
  const packed = parse(text);
  if (!Value.Check(packedRunSchema, packed)) return err('malformed');
  const [, [id, realmId, flowVersionId], [node, step, status, failure], [user, evidence], ...rest] = packed;
  const [state, lastScreen, demand, [startedAt, lifetime], [words, numbers]] = rest;
  const userId = user === null ? null : brandId<UserId>(user);
  const trace = unpackTrace(words, numbers, startedAt);
  if (trace === null || (userId === null && evidence.length > 0)) return err('malformed');
  return ok({
    id: brandId<RunId>(id),
    realmId: brandId<RealmId>(realmId),
    flowVersionId,
    node,
    step,
    status,
    failure,
    userId,
    evidence: userId === null ? [] : evidence.map((row) => unpackEvidence(row, userId, startedAt)),
    state: state.map(([node, kept]) => ({ node, kept })),
    lastScreen,
    demand: unpackDemand(demand),
    startedAt,
    expiresAt: startedAt + lifetime,
    trace,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const packEvidence = ({ method, at, userId, fromSession }: Evidence, run: Run) =>
  userId === run.userId
    ? [method, at - run.startedAt, fromSession === true]
    : unreachable(`run ${run.id} holds evidence of another user`);

const unpackEvidence = ([method, after, fromSession]: PackedEvidence, userId: UserId, start: number): Evidence => ({
  method,
  userId,
  at: start + after,
  ...(fromSession ? { fromSession } : {}),
});

function packDemand({ interactive, fresh, selectAccount, maxAgeSeconds, subject, hint, acr, consent }: Demand) {
  const asked = consent && [
    [consent.audience, consent.audienceName, consent.logoUri, consent.policyUri, consent.termsUri],
    consent.items,
    [consent.force, consent.assured],
    ...(consent.device === undefined ? [] : [consent.device]),
  ];
  return [[interactive, fresh, selectAccount], maxAgeSeconds, subject, hint, [acr.values, acr.essential], asked];
}

function unpackDemand([flags, maxAgeSeconds, subject, hint, [values, essential], asked]: PackedDemand): Demand {
  const [interactive, fresh, selectAccount] = flags;
  return {
    interactive,
    fresh,
    maxAgeSeconds,
    subject,
    hint,
    selectAccount,
    acr: { values, essential },
    consent: asked === null ? null : unpackConsent(asked),
  };
}

function unpackConsent([texts, items, [force, assured], device]: NonNullable<PackedDemand[5]>): Demand['consent'] {
  const [audience, audienceName, logoUri, policyUri, termsUri] = texts;
  const consent = { audience, audienceName, logoUri, policyUri, termsUri, items, force, assured };
  return device === undefined ? consent : { ...consent, device };
}

/** Three numbers an entry: milliseconds since the entry before it, and where its node and its outcome stand in `words`. */
function packTrace(trace: readonly TraceEntry[], startedAt: number): readonly [readonly string[], readonly number[]] {
  const words = [...new Set(trace.flatMap(({ node, outcome }) => [node, outcome]))];
  const numbers = trace.flatMap(({ at, node, outcome }, index) => {
    const before = trace[index - 1]?.at ?? startedAt;
    return [at - before, words.indexOf(node), words.indexOf(outcome)];
  });
  return [words, numbers];
}

/** null: a number points to no word, or the list breaks off within an entry. */
function unpackTrace(words: readonly string[], numbers: readonly number[], startedAt: number): TraceEntry[] | null {
  const trace: TraceEntry[] = [];
  let at = startedAt;
  for (let index = 0; index < numbers.length; index += 3) {
    const [after, nodeAt, outcomeAt] = numbers.slice(index, index + 3);
    const node = words[nodeAt ?? -1];
    const outcome = words[outcomeAt ?? -1];
    if (after === undefined || node === undefined || outcome === undefined) return null;
    at += after;
    trace.push({ at, node, outcome });
  }
  return trace;
}
