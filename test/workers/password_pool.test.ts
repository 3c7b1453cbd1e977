import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../src/core/secret.ts';
import { hashPassword } from '../../src/workers/password/index.ts';
import { HashPool, type JobOutcome, type PoolOptions } from '../../src/workers/password/pool.ts';

const command = [process.execPath, join(import.meta.dir, 'password_child.ts')];
/** Takes jobs and never answers. */
const stuckChild = [
  process.execPath,
  '-e',
  "process.on('message', () => {}); process.on('disconnect', () => process.exit()); process.send({ kind: 'ready' });",
];
/** Fails a job that it is given while it has another. */
const singleJobChild = [
  process.execPath,
  '-e',
  `let jobs = 0;
  process.on('message', () => {
    if (++jobs > 1) process.send({ kind: 'failed' });
    setTimeout(() => { jobs--; process.send({ kind: 'hashed', hash: '' }); }, 2);
  });
  process.on('disconnect', () => process.exit());
  process.send({ kind: 'ready' });`,
];
/** Longer than a test takes: a hash with this many passes is only ever interrupted. */
const endlessHash = async (password: string) =>
  (await hashPassword(new Secret(password))).reveal().replace(',t=2,', ',t=2000,');

const pools: HashPool[] = [];
const start = (options: Partial<PoolOptions> = {}): HashPool => {
  const pool = new HashPool({ command, children: 1, stuckMilliseconds: 60_000, ...options });
  pools.push(pool);
  return pool;
};
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

const never = new AbortController().signal;
const onlyProcess = (pool: HashPool): number => pool.processIds()[0] ?? 0;

describe('a child', () => {
  test('makes a hash that fits its password and no other', async () => {
    const pool = start();
    const made = await pool.run({ kind: 'hash', password: 'tiger' }, never);
    const hash = made.kind === 'hashed' ? made.hash : '';
    expect(hash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
    const verify = (password: string) => pool.run({ kind: 'verify', password, hash }, never);
    expect(await verify('tiger')).toEqual({ kind: 'verified', matches: true });
    expect(await verify('lion')).toEqual({ kind: 'verified', matches: false });
    expect(await verify('')).toEqual({ kind: 'verified', matches: false });
  });

  test('takes a password however its accents are composed', async () => {
    const pool = start();
    const hash = (await hashPassword(new Secret('caf\u00e9'))).reveal();
    const outcome = await pool.run({ kind: 'verify', password: 'cafe\u0301', hash }, never);
    expect(outcome).toEqual({ kind: 'verified', matches: true });
  });

  test('given a stored hash that cannot be read: says so, and goes on', async () => {
    const pool = start();
    expect(await pool.run({ kind: 'verify', password: 'tiger', hash: 'nonsense' }, never)).toEqual({ kind: 'failed' });
    expect(await pool.run({ kind: 'hash', password: 'tiger' }, never)).toMatchObject({ kind: 'hashed' });
  });

  test('has a lower priority, and neither the environment nor a password in its process entry', async () => {
    const pool = start();
    await pool.run({ kind: 'hash', password: 'correct horse' }, never);
    const processId = onlyProcess(pool);
    expect(getPriority(processId)).toBeGreaterThan(getPriority());
    if (!existsSync('/proc/self/environ')) return;
    expect(readFileSync(`/proc/${processId}/environ`, 'utf8')).not.toContain('PATH=');
    expect(readFileSync(`/proc/${processId}/cmdline`, 'utf8')).not.toContain('correct horse');
  });

  test('outlives Ctrl-C and TERM, which are for its parent, and ends when the parent lets go', async () => {
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const child = Bun.spawn(command, { ipc: () => resolve(), stdio: ['ignore', 'ignore', 'inherit'] });
    await ready;
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const answered = Promise.withResolvers<void>();
    const second = Bun.spawn(command, { ipc: () => answered.resolve(), stdio: ['ignore', 'ignore', 'inherit'] });
    await answered.promise;
    expect(child.exitCode).toBeNull();
    child.disconnect();
    second.disconnect();
    expect(await child.exited).toBe(0);
    expect(await second.exited).toBe(0);
  });
});

describe('the pool', () => {
  test('killed in the middle of a hash: that job is void, and a new child does the next', async () => {
    const lost: (string | null)[] = [];
    const pool = start({ onLost: ({ signal }) => lost.push(signal) });
    await pool.run({ kind: 'hash', password: 'warm' }, never);
    const first = onlyProcess(pool);
    const running = pool.run({ kind: 'verify', password: 'tiger', hash: await endlessHash('tiger') }, never);
    process.kill(first, 'SIGKILL');
    expect(await running).toEqual({ kind: 'void' });
    expect(await pool.run({ kind: 'hash', password: 'tiger' }, never)).toMatchObject({ kind: 'hashed' });
    expect(onlyProcess(pool)).not.toBe(first);
    expect(lost).toHaveLength(1);
  });

  test('at the signal: void at once, in the queue and in the child', async () => {
    const pool = start();
    await pool.run({ kind: 'hash', password: 'warm' }, never);
    const abort = new AbortController();
    const hash = await endlessHash('tiger');
    const jobs = [1, 2].map(() => pool.run({ kind: 'verify', password: 'tiger', hash }, abort.signal));
    abort.abort();
    expect(await Promise.all(jobs)).toEqual([{ kind: 'void' }, { kind: 'void' }]);
    expect(await pool.run({ kind: 'hash', password: 'tiger' }, abort.signal)).toEqual({ kind: 'void' });
  });

  test('a child that never answers is replaced', async () => {
    const pool = start({ command: stuckChild, stuckMilliseconds: 50 });
    expect(await pool.run({ kind: 'hash', password: 'tiger' }, never)).toEqual({ kind: 'void' });
  });

  test('gives a child one job at a time', async () => {
    const pool = start({ command: singleJobChild, children: 2 });
    const jobs = Array.from({ length: 12 }, () => pool.run({ kind: 'hash', password: 'tiger' }, never));
    const kinds = (await Promise.all(jobs)).map(({ kind }: JobOutcome) => kind);
    expect(kinds).toEqual(Array.from({ length: 12 }, () => 'hashed'));
    expect(pool.processIds()).toHaveLength(2);
  });

  test('closed: what waits is void, and no child is left', async () => {
    const pool = start();
    const [processId] = pool.processIds();
    const waiting = pool.run({ kind: 'verify', password: 'tiger', hash: await endlessHash('tiger') }, never);
    await pool.close();
    expect(await waiting).toEqual({ kind: 'void' });
    expect(() => process.kill(processId ?? 0, 0)).toThrow();
    expect(await pool.run({ kind: 'hash', password: 'tiger' }, never)).toEqual({ kind: 'void' });
  });
});
