import type { ProcessEntry } from '../src/demo/process_table.ts';
import { descendantsOf } from './process_tree.ts';

/** A process of this program as its caller sees it: what it says, what it starts, how it ends. */
export type ObservedProcess = {
  readonly pid: number;
  /** Everything written so far, both streams. */
  readonly output: () => string;
  /** Waits for a text in the output; a process that ends without it is a failure that says what it wrote. */
  readonly says: (text: string) => Promise<void>;
  /** Everything it has started and that runs now. */
  readonly descendants: () => readonly ProcessEntry[];
  /** Every process that `descendants` ever saw. */
  readonly seen: () => readonly ProcessEntry[];
  readonly signal: (signal: NodeJS.Signals) => void;
  /** The exit code, after the last of its output was read; one that does not end is a failure that says what it wrote. */
  readonly ends: () => Promise<number>;
  readonly exited: Promise<number>;
};

const endMilliseconds = 20_000;

export type ProcessOptions = {
  readonly folder: string;
  /** All there is beside PATH and HOME: nothing of the caller's own configuration comes along. */
  readonly environment?: { readonly [name: string]: string };
};

export function observe(command: readonly string[], { folder, environment = {} }: ProcessOptions): ObservedProcess {
  const { PATH = '', HOME = '/nonexistent' } = process.env;
  const child = Bun.spawn([...command], {
    cwd: folder,
    env: { PATH, HOME, ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const seen = new Map<string, ProcessEntry>();
  let output = '';
  const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const read = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const exited = child.exited.then(async (code) => {
    await read;
    return code;
  });
  return {
    pid: child.pid,
    output: () => output,
    async says(text) {
      while (!output.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null) {
          await read;
          if (!output.includes(text)) throw new Error(`it ended before it said "${text}":\n${output}`);
        }
        await Bun.sleep(20);
      }
    },
    descendants() {
      const found = descendantsOf(child.pid);
      for (const entry of found) seen.set(`${entry.pid} ${entry.started}`, entry);
      return found;
    },
    seen: () => [...seen.values()],
    signal: (signal) => child.kill(signal),
    async ends() {
      const code = await Promise.race([exited, Bun.sleep(endMilliseconds)]);
      if (code === undefined) throw new Error(`it does not end:\n${output}`);
      return code;
    },
    exited,
  };
}
