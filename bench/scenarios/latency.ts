/** How even answers are: at half the peak rate, and while people sign in by password. */
import { signIn, UserAgent } from '../../test/user_agent.ts';
import type { Finding } from '../findings.ts';
import type { Load, Measurement } from '../load/wrk.ts';
import { password, usersCount } from '../parties.ts';
import type { Bench, Side } from '../sides.ts';
import type { Scenario } from './index.ts';
import { connections, runGrant } from './rates.ts';

type HalfRate = { readonly pauseMilliseconds: number; readonly peak: Measurement; readonly half: Measurement };

/**
 * A closed loop with pauses: each connection waits between answer and next request so long that all together send half of
 * what the server can answer. A request that is late delays the next one of its connection only.
 */
async function measureHalfRate(bench: Bench, side: Side, name: Load['script'], seconds: number): Promise<HalfRate> {
  await runGrant(bench, side, name, { seconds: Math.min(3, seconds) });
  const peak = await runGrant(bench, side, name, { seconds });
  const period = periodAt(peak.perSecond / 2);
  const guess = Math.max(1, Math.round(period - peak.p50Milliseconds / 4));
  // The answer itself takes part of the period, which shows only when it is tried.
  const trial = await runGrant(bench, side, name, { seconds: Math.min(3, seconds), pauseMilliseconds: guess });
  const pauseMilliseconds = Math.max(1, Math.round(guess + period - periodAt(trial.perSecond)));
  const half = await runGrant(bench, side, name, { seconds, pauseMilliseconds });
  return { pauseMilliseconds, peak, half };
}

/** From request to request of one connection, in milliseconds. */
const periodAt = (perSecond: number): number => (connections / perSecond) * 1000;

const describeLatency = ({ p50Milliseconds, p99Milliseconds, perSecond }: Measurement): string =>
  `p50 ${p50Milliseconds.toFixed(1)} ms, p99 ${p99Milliseconds.toFixed(1)} ms at ${Math.round(perSecond)}/s`;

export const halfRate: Scenario = {
  name: 'half_rate',
  async run(bench, { seconds, progress }) {
    const findings: Finding[] = [];
    const side = await bench.start('limen');
    for (const name of ['client_credentials', 'refresh'] as const) {
      progress(`half rate: ${name}`);
      const { peak, half } = await measureHalfRate(bench, side, name, seconds);
      findings.push({
        what: `p99 at half the peak rate, ${name}`,
        against: 'p50',
        measured: describeLatency(half),
        reference: `peak ${Math.round(peak.perSecond)}/s`,
        value: half.p99Milliseconds / half.p50Milliseconds,
        unit: '×',
        bar: { kind: 'at most', value: 5 },
      });
    }
    await side.server.stop();
    return { findings, rates: [] };
  },
};

/** As many people at once keep signing in. */
const peopleAtOnce = 16;

/** Signs users in, one after the other in each of the lines, until told to stop; gives how many. */
async function signInUntil(bench: Bench, stopped: () => boolean): Promise<number> {
  const { issuer, web } = bench.parties;
  let next = 0;
  let done = 0;
  const line = async (): Promise<void> => {
    while (!stopped()) {
      next = (next + 1) % usersCount;
      const parameters = new URLSearchParams({
        client_id: web.clientId,
        redirect_uri: web.redirectUri,
        response_type: 'code',
        scope: web.scope,
        state: 'a state',
        nonce: 'a nonce',
      });
      const username = `user${next + 1}`;
      const back = await signIn(new UserAgent(), `${issuer}/authorize?${parameters}`, { username, password }).catch(
        () => null,
      );
      if (back?.searchParams.has('code') === true) done += 1;
    }
  };
  await Promise.all(Array.from({ length: peopleAtOnce }, line));
  return done;
}

export const signInBurst: Scenario = {
  name: 'sign_in_burst',
  async run(bench, { seconds, progress }) {
    const side = await bench.start('limen');
    progress('sign-in burst: idle');
    const { pauseMilliseconds, half: idle } = await measureHalfRate(bench, side, 'client_credentials', seconds);
    progress(`sign-in burst: ${peopleAtOnce} people at once`);
    let over = false;
    const signingIn = signInUntil(bench, () => over);
    const busy = await runGrant(bench, side, 'client_credentials', { seconds, pauseMilliseconds });
    over = true;
    const signedIn = await signingIn;
    await side.server.stop();
    if (signedIn === 0) throw new Error('nobody could sign in, so there was no burst');
    const finding: Finding = {
      what: `p99 of client_credentials while ${signedIn} people sign in by password`,
      against: 'p99 without',
      measured: describeLatency(busy),
      reference: describeLatency(idle),
      value: busy.p99Milliseconds / idle.p99Milliseconds,
      unit: '×',
      bar: { kind: 'at most', value: 3 },
    };
    return { findings: [finding], rates: [] };
  },
};
