import type { Config } from '../../config.ts';
import type { Result } from '../../core/result.ts';
import type { Inspection } from '../../store/inspection.ts';
import { type Finding, fail, fine, warn } from './finding.ts';

const oldestVersion = 160_000;
const largestSkewMilliseconds = 2000;

/** What SQLSTATEs and network errors mean for whoever set DATABASE_URL. */
const meanings: { readonly [code: string]: readonly [finding: string, mend: string] } = {
  ECONNREFUSED: ['nothing listens there', 'start Postgres, or mend host and port in DATABASE_URL'],
  ENOTFOUND: ['the host name has no address', 'mend the host in DATABASE_URL'],
  CONNECT_TIMEOUT: ['no answer within ten seconds', 'look for a firewall, or mend the host in DATABASE_URL'],
  '28P01': ['the password is refused', 'mend the password in DATABASE_URL'],
  '28000': ['this user may not connect', 'mend the user in DATABASE_URL, or pg_hba.conf'],
  '3D000': ['there is no such database', 'make it, or mend the name in DATABASE_URL'],
  '42501': ['this user lacks a privilege', 'grant the user of DATABASE_URL the tables of its schema'],
  '53300': ['it has no connection left', 'raise max_connections, or lower LIMEN_DATABASE_CONNECTIONS'],
};

export function examineDatabase(
  inspection: Result<Inspection, string>,
  config: Pick<Config, 'databaseConnections'>,
): readonly Finding[] {
  if (!inspection.ok) {
    const [finding, mend] = meanings[inspection.error] ?? ['it cannot be used', 'see the log of Postgres'];
    return [fail('database', `${finding} (${inspection.error})`, mend)];
  }
  const found = inspection.value;
  return [version(found), ...setUp(found, config), clock(found), ...migrations(found), ...partitions(found)];
}

function version({ versionNumber }: Inspection): Finding {
  const shown = `Postgres ${Math.floor(versionNumber / 10_000)}.${versionNumber % 10_000}`;
  return versionNumber >= oldestVersion
    ? fine('database', `${shown} answers`)
    : fail('database', `${shown} is too old`, 'upgrade to Postgres 16 or newer');
}

function setUp(found: Inspection, { databaseConnections }: Pick<Config, 'databaseConnections'>): readonly Finding[] {
  const findings: Finding[] = [];
  if (found.isReadOnly) {
    findings.push(fail('database', 'it is a standby and takes no writes', 'point DATABASE_URL at the primary'));
  }
  if (found.encoding !== 'UTF8') {
    findings.push(fail('database', `its encoding is ${found.encoding}`, 'make a database with ENCODING UTF8'));
  }
  if (databaseConnections >= found.connectionLimit) {
    findings.push(
      warn(
        'database',
        `one process may open ${databaseConnections} connections, the server takes ${found.connectionLimit} in all`,
        'lower LIMEN_DATABASE_CONNECTIONS, or raise max_connections',
      ),
    );
  }
  return findings;
}

function clock({ clockAheadMilliseconds: ahead, clockToleranceMilliseconds: tolerance }: Inspection): Finding {
  const shown = `${Math.abs(ahead)} ms ${ahead < 0 ? 'behind' : 'ahead of'} this machine’s`;
  if (Math.abs(ahead) - tolerance > largestSkewMilliseconds) {
    return fail('clock', `the database’s is ${shown}`, 'synchronise both machines (NTP); more than 2 s is refused');
  }
  return fine('clock', `the database’s is ${shown} (± ${tolerance} ms)`);
}

function migrations({ migrations: { pending, ahead, fault } }: Inspection): readonly Finding[] {
  if (fault !== null) return [fail('schema', fault, 'use the version of this program that made the schema')];
  if (pending.length > 0) {
    return [fail('schema', `${pending.length} to apply, from ${pending[0]}`, 'run `limen migrate`')];
  }
  if (ahead.length > 0) {
    return [warn('schema', `a newer version has migrated it (${ahead.at(-1)})`, 'finish the upgrade of this process')];
  }
  return [fine('schema', 'every migration is applied')];
}

function partitions({ schema }: Inspection): readonly Finding[] {
  if (schema === null) return [];
  const short = schema.partitions.filter((table) => !table.enough).map((table) => table.table);
  return short.length === 0
    ? [fine('partitions', `${schema.partitions.length} tables have theirs ahead`)]
    : [fail('partitions', `missing ahead: ${short.join(', ')}`, 'run `limen migrate`, and keep a process running')];
}
