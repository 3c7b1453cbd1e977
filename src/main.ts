import { version } from '../package.json' with { type: 'json' };

/**
 * The process: environment, arguments, signals, exit code. The password worker comes first and imports nothing else, so
 * that it starts fast and holds little.
 */
const passwordWorkerCommand = 'password-worker';

if (process.argv[2] === passwordWorkerCommand) {
  const { runPasswordWorker } = await import('./workers/password/child.ts');
  runPasswordWorker();
} else {
  process.exitCode = await main(process.argv.slice(2));
}

/** How this very program starts a password worker of its own: from source or as a single executable. */
function passwordWorker(): readonly string[] {
  const isCompiled = Bun.main.startsWith('/$bunfs/') || Bun.main.includes('~BUN');
  // `--no-env-file`: the worker gets an empty environment, which bun would fill again from `.env`.
  const program = isCompiled ? [process.execPath] : [process.execPath, '--no-env-file', Bun.main];
  return [...program, passwordWorkerCommand];
}

async function main(words: readonly string[]): Promise<number> {
  const { processEnvironment } = await import('./config.ts');
  const { systemClock } = await import('./core/time.ts');
  const { processTerminal, runCli, wireCli } = await import('./cli/index.ts');
  const terminal = processTerminal();
  const own = { clock: systemClock, passwordWorker: passwordWorker(), tell: terminal.err, stopped: stopSignal() };
  const deps = wireCli({
    environment: processEnvironment(),
    terminal,
    version,
    now: systemClock,
    serve: async (config) => {
      const { serve } = await import('./serve.ts');
      return serve({ ...own, config, write: terminal.err });
    },
    demo: async (options) => {
      const { demo } = await import('./demo/index.ts');
      return demo({ ...own, ...options, say: terminal.out });
    },
  });
  return runCli(words, deps);
}

/** The first signal asks for an orderly stop; it may come twice, from the terminal and from the launcher. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  return promise;
}
