import { isRunning, type ProcessEntry, readProcess } from './process_table.ts';

const pollMilliseconds = 500;

/**
 * Calls `onGone` once when a process that launched this one through npx or `bun run` has ended. `npm exec` passes no
 * signal on, and no launcher passes on a SIGKILL, so without this the demo would outlive the command that started it.
 * Started in any other way, nothing is watched.
 *
 * @returns ends the watch
 */
export function watchLauncher(onGone: () => void): () => void {
  const chain = launchers(ancestors());
  if (chain.length === 0) return () => {};
  const timer = setInterval(() => {
    if (chain.every(({ pid, started }) => isRunning(pid, started))) return;
    clearInterval(timer);
    onGone();
  }, pollMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}

/** Parents of this process, nearest first. */
function ancestors(): readonly ProcessEntry[] {
  const found: ProcessEntry[] = [];
  let parent = readProcess(process.ppid);
  while (parent !== undefined && parent.pid > 1 && found.length < maximumDepth) {
    found.push(parent);
    parent = readProcess(parent.parent);
  }
  return found;
}

/** `bun run` below `sh -c` below `npm exec`, with room for one more: an npx further up started something else. */
const maximumDepth = 4;

/**
 * Those of the ancestors that have to live: all up to the nearest `npm exec` (the title that npx gives itself; in between
 * are `sh -c` and `bun run`), else a `bun run` directly above.
 */
export function launchers<Entry extends { readonly command: string }>(ancestors: readonly Entry[]): readonly Entry[] {
  const npx = ancestors.findIndex(({ command }) => command.startsWith('npm exec'));
  if (npx !== -1) return ancestors.slice(0, npx + 1);
  return ancestors.slice(0, 1).filter(({ command }) => /^\S*\bbun(\.exe)? run /.test(command));
}
