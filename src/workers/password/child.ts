import { setPriority } from 'node:os';
import { hashHere, matchesHere } from './argon2id.ts';
import { type Answer, type Job, readJob } from './messages.ts';

/** Lower than the serving process, so that a burst of sign-ins never takes the processor from tokens. */
const niceness = 10;

/** The whole life of a hashing child: it answers the jobs of its parent, and ends when the parent is gone. */
export function runPasswordWorker(): void {
  setPriority(niceness);
  // A signal to the whole group (Ctrl-C) is the parent's to answer: it drains first, then lets its children go.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: unknown) => {
    const job = readJob(message);
    if (job === null) return send({ kind: 'failed' });
    answer(job).then(send, () => send({ kind: 'failed' }));
  });
  send({ kind: 'ready' });
}

async function answer(job: Job): Promise<Answer> {
  if (job.kind === 'hash') return { kind: 'hashed', hash: await hashHere(job.password) };
  try {
    return { kind: 'verified', matches: await matchesHere(job.password, job.hash) };
  } catch {
    // A stored hash that cannot be read: as much work as one that can.
    await hashHere(job.password);
    return { kind: 'failed' };
  }
}

function send(answer: Answer): void {
  process.send?.(answer);
}
