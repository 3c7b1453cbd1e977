export type Ended = { readonly stderr: string; readonly exitCode: number | null; readonly timedOut: boolean };

/**
 * Runs a command, shows what it writes as it comes (all on stdout, so that its end is before our last line), and keeps its
 * stderr. After the deadline it is killed.
 */
export async function runCommand(
  command: readonly string[],
  options: { readonly folder: string; readonly environment: Record<string, string>; readonly deadlineSeconds: number },
): Promise<Ended> {
  const child = Bun.spawn([...command], {
    cwd: options.folder,
    env: options.environment,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let timedOut = false;
  const deadline = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, options.deadlineSeconds * 1000);
  const [stderr] = await Promise.all([tee(child.stderr), tee(child.stdout)]);
  await child.exited;
  clearTimeout(deadline);
  return { stderr, exitCode: child.exitCode, timedOut };
}

async function tee(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) {
    process.stdout.write(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

/**
 * The environment for tests and tools: ours, without what would point a test at somebody's real provider or database.
 * `TEST_DATABASE_URL` stays. Loopback is never asked of a proxy.
 */
export function childEnvironment(environment: { readonly [name: string]: string | undefined }): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(LIMEN_|PG[A-Z]+$|DATABASE_URL$)/.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), NO_PROXY: 'localhost,127.0.0.1,::1' };
}
