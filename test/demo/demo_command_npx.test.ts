import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { survivors } from '../process_tree.ts';
import { type Demos, demos, type Place, root } from './demo_process.ts';

/** The command of the README, letter for letter, and what becomes of the demo when its `npx` is ended. */

const limit = 120_000;
const npx = ['npx', '--yes', 'bun@1.4.5'];

const canRun = ((): boolean => {
  try {
    return Bun.spawnSync([...npx, '--version'], { cwd: root, stdin: 'ignore', timeout: 90_000 }).success;
  } catch {
    return false;
  }
})();
if (!canRun) process.stderr.write('\n!!! SKIPPED: the demo by npx: npx cannot run bun@1.4.5 here\n\n');

describe.skipIf(!canRun)('npx --yes bun@1.4.5 run demo', () => {
  let running: Demos;
  let place: Place;
  beforeAll(() => {
    running = demos();
    place = running.place();
  });
  afterAll(async () => {
    expect(await running.end()).toEqual([]);
  }, limit);

  test.each(['SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    '%s to npx alone: the demo and its Postgres end in order',
    async (signal) => {
      const demo = running.start(place, { command: [...npx, 'run', 'demo'] });
      await demo.ready();
      const children = demo.descendants();
      expect(children.some(({ command }) => command.includes('src/main.ts demo'))).toBe(true);
      expect(children.some(({ command }) => command.includes('bin/postgres'))).toBe(true);
      expect((await fetch(`http://localhost:${place.rpPort}/`)).status).toBe(200);
      demo.signal(signal);
      await demo.ends();
      expect(await survivors(children)).toEqual([]);
      await demo.says('Stopping');
    },
    limit,
  );
});
