import { watchLauncher } from '../../src/demo/launcher.ts';

/** Watches its launcher and lives until it is gone, or until it is told to end; says which. */
if (import.meta.main) {
  const end = (word: string): void => {
    process.stdout.write(word);
    process.exit(0);
  };
  watchLauncher(() => end('gone\n'));
  process.on('SIGTERM', () => end('told\n'));
  setInterval(() => {}, 1_000);
  process.stdout.write(`${process.pid}\n`);
}
