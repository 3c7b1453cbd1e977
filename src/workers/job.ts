import type { Log } from '../core/log.ts';

/** Work that a process does again and again: one at a time, and never at the same moment in every process. */
export type Job = {
  readonly name: string;
  readonly everyMilliseconds: number;
  readonly run: () => Promise<void>;
};

export type RunningJobs = { readonly stop: () => Promise<void> };

/** Starts each job with a delay of its own; a failure is logged and the next turn comes as usual. */
export function startJobs(jobs: readonly Job[], log: Log): RunningJobs {
  const running = jobs.map((job) => startJob(job, log));
  return {
    stop: async () => {
      await Promise.all(running.map((job) => job.stop()));
    },
  };
}

function startJob(job: Job, log: Log): RunningJobs {
  let current: Promise<void> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let stopped = false;
  const turn = async (): Promise<void> => {
    try {
      await job.run();
    } catch (thrown) {
      log.warn('job.failed', { job: job.name, thrown });
    }
    if (!stopped) plan();
  };
  const plan = (): void => {
    timer = setTimeout(() => {
      current = turn();
    }, job.everyMilliseconds);
  };
  plan();
  return {
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await current;
    },
  };
}
