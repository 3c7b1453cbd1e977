import { createApp } from './app.ts';
import type { ConfigWith } from './config.ts';
import { createLog } from './core/log.ts';
import type { Clock } from './core/time.ts';
import { listen } from './server.ts';
import { DatabaseFault } from './store/fault.ts';
import { SealedColumnFault } from './store/sealed_column.ts';

export type ServeOptions = {
  readonly config: ConfigWith<'databaseUrl' | 'secrets' | 'publicUrl'>;
  readonly clock: Clock;
  readonly passwordWorker: readonly string[];
  /** One line for the operator. */
  readonly tell: (line: string) => void;
  /** One line of the log. */
  readonly write: (line: string) => void;
  /** Resolves when the process is told to stop. */
  readonly stopped: Promise<void>;
};

/** `limen serve`: the exit code. What goes wrong at the start is one line that says what, where and how to mend it. */
export async function serve({ config, clock, passwordWorker, tell, write, stopped }: ServeOptions): Promise<number> {
  const log = createLog(config.logLevel, write, clock);
  const app = await createApp({ config, clock, log, passwordWorker }).catch((thrown: unknown) => {
    const sentence = sentenceFor(thrown);
    if (sentence === null) throw thrown;
    tell(sentence);
    return null;
  });
  if (app === null) return 1;
  const listening = listen(app, config);
  if (!listening.ok) {
    tell(listening.error);
    await app.stop();
    return 1;
  }
  log.info('serving', { publicUrl: config.publicUrl, host: config.host, port: listening.value.port });
  await stopped;
  log.info('draining');
  await listening.value.drain();
  await app.stop();
  log.info('stopped');
  return 0;
}

/** What the operator can mend; null: a bug. */
function sentenceFor(thrown: unknown): string | null {
  if (thrown instanceof SealedColumnFault) {
    return 'LIMEN_SECRETS: this database was sealed with a secret that is not among these; add the one it was set up with, and ask `limen doctor`';
  }
  return thrown instanceof DatabaseFault ? databaseSentence(thrown) : null;
}

function databaseSentence({ kind, code }: DatabaseFault): string | null {
  if (code === '42P01' || code === '42703' || code === '42883') {
    return 'DATABASE_URL: the schema of this database is not up to date; run `limen migrate`';
  }
  if (kind === 'unavailable' || /^(28|3D)/.test(code)) {
    return `DATABASE_URL: the database cannot be used (${code}); check that it runs and takes this user, or ask \`limen doctor\``;
  }
  return null;
}
