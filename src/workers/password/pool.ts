import type { Subprocess } from 'bun';
import { type Answer, type Job, readAnswer } from './messages.ts';

export type PoolOptions = {
  /** Program and arguments that end in `runPasswordWorker()`. */
  readonly command: readonly string[];
  readonly children: number;
  /** A child that takes longer than this for one job is stuck and is ended. */
  readonly stuckMilliseconds: number;
  /** For the log: a child ended although nobody asked it to. */
  readonly onLost?: (exit: { readonly code: number | null; readonly signal: string | null }) => void;
};

/** `void`: the child died, or the signal came first. Nothing is known of the outcome then. */
export type JobOutcome = Exclude<Answer, { kind: 'ready' }> | { readonly kind: 'void' };

type Waiting = { readonly job: Job; readonly settle: (outcome: JobOutcome) => void };

type Child = {
  readonly process: Subprocess;
  isReady: boolean;
  settle: ((outcome: JobOutcome) => void) | null;
  stuckTimer: NodeJS.Timeout | null;
};

const firstRespawnMilliseconds = 50;
const slowestRespawnMilliseconds = 5_000;

/**
 * Child processes that hash, each one job at a time, so that memory is bounded by their number. They start with an empty
 * environment: no secret of the server is in them. A lost child is replaced, ever more slowly while none becomes ready.
 */
export class HashPool {
  readonly #options: PoolOptions;
  readonly #children = new Set<Child>();
  readonly #waiting = new Set<Waiting>();
  readonly #respawns = new Set<NodeJS.Timeout>();
  #respawnMilliseconds = firstRespawnMilliseconds;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let index = 0; index < options.children; index += 1) this.#spawn();
  }

  processIds(): readonly number[] {
    return [...this.#children].map((child) => child.process.pid);
  }

  /** Runs when a child is free. After the signal the outcome is `void` at once, although the child may go on for a while. */
  run(job: Job, signal: AbortSignal): Promise<JobOutcome> {
    if (this.#closed || signal.aborted) return Promise.resolve({ kind: 'void' });
    return new Promise((resolve) => {
      const abort = (): void => settle({ kind: 'void' });
      const settle = (outcome: JobOutcome): void => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(waiting);
        resolve(outcome);
      };
      const waiting: Waiting = { job, settle };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
      this.#dispatch();
    });
  }

  /** Ends the children; what they were doing is void. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#respawns) clearTimeout(timer);
    for (const waiting of this.#waiting) waiting.settle({ kind: 'void' });
    const children = [...this.#children];
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all(children.map((child) => child.process.exited));
  }

  #dispatch(): void {
    for (const waiting of this.#waiting) {
      const child = [...this.#children].find((candidate) => candidate.isReady && candidate.settle === null);
      if (child === undefined) return;
      this.#waiting.delete(waiting);
      child.settle = waiting.settle;
      child.stuckTimer = setTimeout(() => child.process.kill('SIGKILL'), this.#options.stuckMilliseconds);
      hand(child, waiting.job);
    }
  }

  #spawn(): void {
    if (this.#closed) return;
    const child: Child = {
      isReady: false,
      settle: null,
      stuckTimer: null,
      process: Bun.spawn([...this.#options.command], {
        env: {},
        stdio: ['ignore', 'ignore', 'inherit'],
        ipc: (message) => this.#receive(child, readAnswer(message)),
        onExit: (_, code, signal) => this.#lose(child, { code, signal: signal === null ? null : String(signal) }),
      }),
    };
    this.#children.add(child);
  }

  #receive(child: Child, answer: Answer | null): void {
    if (answer === null) {
      child.process.kill('SIGKILL');
    } else if (answer.kind === 'ready') {
      child.isReady = true;
      this.#respawnMilliseconds = firstRespawnMilliseconds;
    } else {
      free(child)?.(answer);
    }
    this.#dispatch();
  }

  #lose(child: Child, exit: { code: number | null; signal: string | null }): void {
    this.#children.delete(child);
    free(child)?.({ kind: 'void' });
    if (this.#closed) return;
    this.#options.onLost?.(exit);
    this.#respawnLater();
  }

  #respawnLater(): void {
    const timer = setTimeout(() => {
      this.#respawns.delete(timer);
      try {
        this.#spawn();
      } catch {
        // No process can be made just now (memory, process limit): attempts end as void until one can.
        this.#respawnLater();
      }
    }, this.#respawnMilliseconds);
    this.#respawns.add(timer);
    this.#respawnMilliseconds = Math.min(this.#respawnMilliseconds * 2, slowestRespawnMilliseconds);
  }
}

/** A child whose channel is already closed is about to be lost, and the job with it. */
function hand(child: Child, job: Job): void {
  try {
    child.process.send(job);
  } catch {
    child.process.kill('SIGKILL');
  }
}

function free(child: Child): ((outcome: JobOutcome) => void) | null {
  const { settle, stuckTimer } = child;
  if (stuckTimer !== null) clearTimeout(stuckTimer);
  child.stuckTimer = null;
  child.settle = null;
  return settle;
}
