import { join } from 'node:path';
import { cpuMicroseconds, ownCpuMicroseconds } from '../process_cost.ts';

export type Load = {
  /** A Lua file beside this one. */
  readonly script: 'client_credentials' | 'refresh' | 'authorization_code';
  readonly url: string;
  readonly authorization: string;
  readonly connections: number;
  readonly threads: number;
  readonly seconds: number;
  /** Mean pause of a connection between an answer and its next request; 0: as fast as it can. */
  readonly pauseMilliseconds?: number;
  readonly scriptArguments?: readonly string[];
};

/** Whose CPU time is read along. */
export type Observed = { readonly serverPid: number; readonly databasePid: number | null };

export type Measurement = {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Per request. */
  readonly serverMicroseconds: number;
  readonly databaseMicroseconds: number | null;
  /** Of the generator, in shares of one core. */
  readonly generatorCores: number;
};

type WrkResult = {
  readonly requests: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly refused: number;
  readonly broken: number;
};

/** Runs wrk once. A refused request or a broken connection is an error: what was not served was not fast. */
export async function measure(load: Load, { serverPid, databasePid }: Observed): Promise<Measurement> {
  const before = costs(serverPid, databasePid);
  const { result, generatorMicroseconds } = await runWrk(load);
  const after = costs(serverPid, databasePid);
  if (result.requests === 0 || result.refused > 0 || result.broken > 0) {
    throw new Error(`${load.script} at ${load.url}: ${JSON.stringify(result)}`);
  }
  return {
    requests: result.requests,
    perSecond: (result.requests * 1e6) / result.microseconds,
    p50Milliseconds: result.p50 / 1000,
    p99Milliseconds: result.p99 / 1000,
    serverMicroseconds: (after.server - before.server) / result.requests,
    databaseMicroseconds: databasePid === null ? null : (after.database - before.database) / result.requests,
    generatorCores: generatorMicroseconds / result.microseconds,
  };
}

const costs = (serverPid: number, databasePid: number | null) => ({
  server: ownCpuMicroseconds(serverPid),
  database: databasePid === null ? 0 : cpuMicroseconds(databasePid),
});

async function runWrk(load: Load): Promise<{ readonly result: WrkResult; readonly generatorMicroseconds: number }> {
  const child = Bun.spawn(wrkCommand(load), {
    env: { PATH: process.env['PATH'] ?? '', LUA_PATH: `${join(import.meta.dir, '?.lua')};;` },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const output = await new Response(child.stdout).text();
  await child.exited;
  const [, line] = /^RESULT (.*)$/m.exec(output) ?? [];
  if (line === undefined) throw new Error(`wrk gave no result: ${output}`);
  const result: WrkResult = JSON.parse(line);
  const { user = 0, system = 0 } = child.resourceUsage()?.cpuTime ?? {};
  return { result, generatorMicroseconds: Number(user) + Number(system) };
}

const wrkCommand = (load: Load): string[] => [
  'wrk',
  `-t${load.threads}`,
  `-c${load.connections}`,
  `-d${load.seconds}s`,
  '--timeout=10s',
  '-s',
  join(import.meta.dir, `${load.script}.lua`),
  '-H',
  `Authorization: ${load.authorization}`,
  load.url,
  '--',
  String(load.pauseMilliseconds ?? 0),
  ...(load.scriptArguments ?? []),
];
