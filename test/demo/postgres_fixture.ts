import { claimFolder } from '../../src/demo/folder_lock.ts';
import { startPostgres } from '../../src/demo/postgres/index.ts';

/**
 * A demo reduced to its database, as a process of its own, so that tests can kill it: `bun postgres_fixture.ts <folder>`.
 * Prints one line of JSON when the server is ready or has refused, and holds it until a line comes in or input ends.
 */
export type FixtureReport = { readonly url?: string; readonly pid?: number; readonly fault?: string };

const report = (line: FixtureReport): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

if (import.meta.main) {
  const claim = claimFolder(process.argv[2] ?? '', 'http://localhost:4000');
  if (!claim.ok) {
    report({ fault: claim.error.sentence });
  } else {
    const server = await startPostgres({ claim: claim.value, progress: () => {}, durable: false });
    if (server.ok) {
      report({ url: server.value.url, pid: server.value.pid });
      await new Response(Bun.stdin.stream()).text();
      await server.value.stop();
    } else {
      report({ fault: server.error.sentence });
    }
    claim.value.release();
  }
}
