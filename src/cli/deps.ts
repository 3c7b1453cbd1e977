import type { ConfigWith, Environment } from '../config.ts';
import type { RealmId } from '../core/ids.ts';
import type { Result } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';
import type { Clock } from '../core/time.ts';
import type { createAuditChain } from '../store/audit_chain.ts';
import type { createClients } from '../store/clients.ts';
import type { Inspection } from '../store/inspection.ts';
import type { createRealms } from '../store/realms.ts';
import type { createRegistrationTokens } from '../store/registration_tokens.ts';
import type { createSigningKeys } from '../store/signing_keys.ts';
import type { createUsers } from '../store/users.ts';

export type Terminal = {
  /** Writes a line (or several) for the reader or the next program. */
  readonly out: (text: string) => void;
  /** Writes a line that says what is wrong. */
  readonly err: (text: string) => void;
  readonly isInteractive: boolean;
  /** Everything on the standard input, up to its end. */
  readonly readAll: () => Promise<string>;
  readonly askSecret: (prompt: string) => Promise<string>;
};

export type DemoOptions = {
  readonly port: number;
  readonly relyingPartyPort: number;
  readonly dataFolder: string;
};

/** What the commands change and show; `administration.ts` makes it of a database. */
export type Administration = {
  readonly realms: Pick<ReturnType<typeof createRealms>, 'create' | 'list' | 'update' | 'endEverything'>;
  readonly clients: Pick<
    ReturnType<typeof createClients>,
    'create' | 'list' | 'show' | 'update' | 'rotateSecret' | 'endEverything'
  >;
  readonly users: Pick<
    ReturnType<typeof createUsers>,
    'create' | 'list' | 'show' | 'update' | 'setPassword' | 'signOutEverywhere'
  >;
  readonly keys: Pick<ReturnType<typeof createSigningKeys>, 'list' | 'rotate'>;
  readonly registrationTokens: ReturnType<typeof createRegistrationTokens>;
  readonly auditChain: Pick<ReturnType<typeof createAuditChain>, 'verify'>;
  /** Gives a new realm the flow that it signs people in with. */
  readonly deployDefaultFlow: (realmId: RealmId) => Promise<void>;
  readonly hashPassword: (password: Secret) => Promise<Secret>;
  readonly close: () => Promise<void>;
};

export type MigrationAnswer = Result<
  { readonly applied: readonly string[]; readonly ahead: readonly string[]; readonly partitions: readonly string[] },
  string
>;

/** Everything a command may use beside pure rules. */
export type CliDeps = {
  readonly environment: Environment;
  readonly terminal: Terminal;
  readonly version: string;
  readonly now: Clock;
  /** Serves until it is told to stop; gives the exit code. */
  readonly serve: (config: ConfigWith<'databaseUrl' | 'secrets' | 'publicUrl'>) => Promise<number>;
  readonly demo: (options: DemoOptions) => Promise<number>;
  readonly migrate: (
    config: ConfigWith<'databaseUrl'>,
    progress: (sentence: string) => void,
  ) => Promise<MigrationAnswer>;
  readonly openAdministration: (config: ConfigWith<'databaseUrl' | 'secrets'>) => Administration;
  /** The code of what kept us from the database, where it cannot be asked. */
  readonly inspectDatabase: (config: ConfigWith<'databaseUrl'>) => Promise<Result<Inspection, string>>;
  /** The addresses of a host name; empty: it has none. */
  readonly resolveHost: (hostname: string) => Promise<readonly string[]>;
  /** Whether a file can be read, and when not, why (`ENOENT`). */
  readonly readFile: (path: string) => Promise<Result<string, string>>;
};
