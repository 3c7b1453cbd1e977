import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessEntry } from '../../src/demo/process_table.ts';
import type { DemoAccess } from '../../src/demo/seed.ts';
import { freePorts } from '../free_port.ts';
import { type ObservedProcess, observe } from '../observed_process.ts';
import { survivors } from '../process_tree.ts';

export const root = join(import.meta.dir, '..', '..');

/** As a person runs it from the source; `npx` in front is another way in. */
const fromSource = [process.execPath, 'src/main.ts', 'demo'];

export type Place = { readonly folder: string; readonly port: number; readonly rpPort: number };

export type DemoProcess = ObservedProcess & {
  /** Resolves once all is up. */
  readonly ready: () => Promise<void>;
};

export type Demos = {
  /** A data folder that is not there yet, below a private one, and two ports. */
  readonly place: () => Place;
  /** A folder that another start has made, and two ports. */
  readonly placeAt: (folder: string) => Place;
  readonly start: (
    place: Place,
    options?: { readonly command?: readonly string[]; readonly environment?: { readonly [name: string]: string } },
  ) => DemoProcess;
  /** Stops what still runs and removes the folders. Answers what stayed behind all the same; that is killed. */
  readonly end: () => Promise<readonly ProcessEntry[]>;
};

const endMilliseconds = 15_000;

/** The demo as processes of its own, in folders of its own. */
export function demos(): Demos {
  const base = mkdtempSync(join(tmpdir(), 'limen-demo-'));
  const started: DemoProcess[] = [];
  let places = 0;
  const placeAt = (folder: string): Place => {
    const [port = 0, rpPort = 0] = freePorts(2);
    return { folder, port, rpPort };
  };
  return {
    place() {
      places += 1;
      return placeAt(join(base, `data ${places}`));
    },
    placeAt,
    start(at, { command = fromSource, environment = {} } = {}) {
      const demo = observe([...command, ...argumentsOf(at)], { folder: root, environment });
      const ready = async (): Promise<void> => {
        await demo.says('Ctrl-C');
        demo.descendants();
      };
      started.push({ ...demo, ready });
      return { ...demo, ready };
    },
    async end() {
      for (const demo of started) demo.signal('SIGTERM');
      await Promise.race([Promise.all(started.map(({ exited }) => exited)), Bun.sleep(endMilliseconds)]);
      for (const demo of started) demo.signal('SIGKILL');
      const left = await survivors(started.flatMap((demo) => demo.seen()));
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      rmSync(base, { recursive: true, force: true });
      return left;
    },
  };
}

const argumentsOf = ({ folder, port, rpPort }: Place): readonly string[] => [
  ...['--port', String(port)],
  ...['--rp-port', String(rpPort)],
  ...['--data-dir', folder],
];

/** What the demo wrote for scripts. */
export const accessIn = ({ folder }: Place): DemoAccess => readAccess(readFileSync(join(folder, 'demo.json'), 'utf8'));

/** The boundary where the file becomes its type; its shape is a test of its own. */
const readAccess = (text: string): DemoAccess => JSON.parse(text);
