/**
 * What can go wrong between this process and Postgres. `unavailable`: try again later (503). `conflict`: a unique or
 * foreign key stands against it. `missing_partition`: no partition for the row (503 and an alert). `bug`: the rest.
 */
export type FaultKind = 'unavailable' | 'conflict' | 'missing_partition' | 'bug';

/**
 * The only error that leaves the store. It carries codes and names of the schema, never SQL, parameters or the driver's
 * message, all of which may hold what a person typed; so it has no `cause` either.
 */
export class DatabaseFault extends Error {
  readonly kind: FaultKind;
  /** SQLSTATE, or the driver's or system's name of a connection error. */
  readonly code: string;
  /** Name of the violated constraint. */
  readonly constraint: string | null;
  /** Name of the table concerned. */
  readonly table: string | null;

  constructor(kind: FaultKind, code: string, names: { constraint?: string | null; table?: string | null } = {}) {
    const constraint = names.constraint ?? null;
    const table = names.table ?? null;
    super(['database', kind, code, constraint ?? table].filter((word) => word !== null).join(' '));
    this.name = 'DatabaseFault';
    this.kind = kind;
    this.code = code;
    this.constraint = constraint;
    this.table = table;
  }
}

/** SQLSTATE classes (first two characters) and codes that pass by themselves: connection, resources, operator, rollback. */
const passing = new Set(['08', '53', '57', '40', '25006', '25P03', '55P03', '58030']);
const conflicts = new Set(['23505', '23503', '23P01']);
/** Of the driver and the system. */
const connectionCode = /^(CONNECT_TIMEOUT$|CONNECTION_|E[A-Z]+$|ERR_(SOCKET|TLS|SSL)_)/;

/** The fault for anything thrown by the driver or by Drizzle; another error is a bug of ours and passes unchanged. */
export function toFault(thrown: unknown): unknown {
  const root = rootOf(thrown);
  if (root instanceof DatabaseFault) return root;
  const code = textOf(root, 'code');
  if (!isOfDatabase(thrown, root) && !connectionCode.test(code ?? '')) return thrown;
  if (code === null) return new DatabaseFault('bug', 'unknown');
  const constraint = textOf(root, 'constraint_name');
  return new DatabaseFault(kindOf(code, constraint), code, { constraint, table: textOf(root, 'table_name') });
}

function kindOf(code: string, constraint: string | null): FaultKind {
  if (conflicts.has(code)) return 'conflict';
  // "no partition of relation found for row" has the code of a failed CHECK, but names no constraint.
  if (code === '23514' && constraint === null) return 'missing_partition';
  if (passing.has(code) || passing.has(code.slice(0, 2)) || connectionCode.test(code)) return 'unavailable';
  return 'bug';
}

/** Drizzle wraps the driver's error in one whose message holds SQL and parameters. */
function rootOf(thrown: unknown): unknown {
  const isWrapper = thrown instanceof Error && 'query' in thrown && 'params' in thrown;
  return isWrapper && thrown.cause !== undefined ? thrown.cause : thrown;
}

/** The driver hangs the statement and its parameters on every error that a statement ended with. */
const isOfDatabase = (thrown: unknown, root: unknown): boolean =>
  root !== thrown || textOf(root, 'severity') !== null || (root instanceof Error && 'parameters' in root);

function textOf(thrown: unknown, property: string): string | null {
  if (typeof thrown !== 'object' || thrown === null || !(property in thrown)) return null;
  const value: unknown = Reflect.get(thrown, property);
  return typeof value === 'string' && value !== '' ? value : null;
}

type Functions = { readonly [name: string]: (...args: never[]) => Promise<unknown> };

/** Every function of a domain, rejecting with a `DatabaseFault` where the database failed. */
export function guarded<Domain extends Functions>(functions: Domain): Domain {
  const wrap =
    (run: (...args: never[]) => Promise<unknown>) =>
    (...args: never[]) =>
      rejectAsFault(() => run(...args));
  const entries = Object.entries(functions).map(([name, run]) => [name, wrap(run)] as const);
  return sameShape<Domain>(Object.fromEntries(entries));
}

/** A wrapper has its function's own type. */
const sameShape = <Domain>(wrapped: { readonly [name: string]: unknown }): Domain => wrapped as Domain;

export async function rejectAsFault<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    throw toFault(thrown);
  }
}

/** Runs the write and turns the violation of one of these constraints into its domain value. */
export async function conflictAs<Value, Failure extends string>(
  meanings: { readonly [constraint: string]: Failure },
  work: () => Promise<Value>,
): Promise<{ readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: Failure }> {
  try {
    return { ok: true, value: await rejectAsFault(work) };
  } catch (thrown) {
    const constraint = thrown instanceof DatabaseFault && thrown.kind === 'conflict' ? thrown.constraint : null;
    const meaning = constraint === null ? undefined : meanings[constraint];
    if (meaning === undefined) throw thrown;
    return { ok: false, error: meaning };
  }
}

/** A failure that passes by itself, and is worth a 503. */
export const isPassing = (thrown: unknown): boolean =>
  thrown instanceof DatabaseFault && thrown.kind !== 'bug' && thrown.kind !== 'conflict';
