import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createUsers } from '../../src/store/users.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { enableUser, realmIdOf } from '../endpoints/operator.ts';
import { alice, authorizeUrl, bob, pageOf, reach, screenOf } from '../endpoints/run_browser.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { chanceOfGreater, deviationOfChance } from './rank.ts';

/**
 * Whether the time of a refusal tells why it was refused. Samples of all kinds are taken in turn, so that whatever else the
 * machine does falls on all alike, and are compared by rank: an attacker who must guess which of two answers was which is
 * right as often as this number says.
 */

const rounds = 40;
/** Off a coin by more than this is no chance any more: five deviations, once in three million runs. */
const noticeable = 5 * deviationOfChance(rounds, rounds);

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_TRUSTED_PROXIES: '127.0.0.1' } });
  const realmId = await realmIdOf(provider);
  await createUsers(provider.database).create({ realmId, username: 'passwordless' });
  await enableUser(provider, 'bob', false);
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const lockedAddress = '198.51.100.1';

/** Each attempt from an address of its own, so that none locks by and by. */
const places = { next: 0 };
const elsewhere = () => {
  places.next += 1;
  return `203.0.${Math.floor(places.next / 250)}.${(places.next % 250) + 1}`;
};

type Kind = { readonly username: string; readonly password: string; readonly from: () => string };

const refusals: { readonly [kind: string]: Kind } = {
  wrong: { username: 'alice', password: 'not it', from: elsewhere },
  unknown: { username: 'nobody', password: 'not it', from: elsewhere },
  'without a password': { username: 'passwordless', password: 'not it', from: elsewhere },
  'disabled, right password': { ...bob, from: elsewhere },
  'locked, right password': { ...alice, from: () => lockedAddress },
  'locked, wrong password': { username: 'alice', password: 'not it', from: () => lockedAddress },
  'locked, unknown': { username: 'nobody', password: 'not it', from: () => lockedAddress },
};

/** Milliseconds from the submit of a password to its refusal. */
async function timeOf({ username, password, from }: Kind): Promise<number> {
  const agent = new UserAgent({ 'x-forwarded-for': from() });
  const page = await reach(agent, authorizeUrl(provider.issuer), 'password', { username, password });
  const start = performance.now();
  const answer = await agent.submit(page, { password });
  const milliseconds = performance.now() - start;
  expect(answer.status).toBe(303);
  return milliseconds;
}

/** In another order each time, so that what one attempt leaves behind does not always fall on the same one. */
function shuffled<Value>(values: readonly Value[]): readonly Value[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((left, right) => left.at - right.at)
    .map(({ value }) => value);
}

/** Where nothing of it looks at a password: what a refusal without a hash or a wait would take. */
async function timeOfNothing(): Promise<number> {
  const agent = new UserAgent({ 'x-forwarded-for': elsewhere() });
  const page = await reach(agent, authorizeUrl(provider.issuer), 'password', alice);
  const start = performance.now();
  const answer = await agent.submit(page, { password: '' });
  const milliseconds = performance.now() - start;
  expect(answer.status).toBe(303);
  return milliseconds;
}

test('wrong, unknown, without a password, disabled and locked cannot be told apart by the time; an answer without a hash could', async () => {
  for (const name of ['wrong', 'unknown'] as const) {
    const kind = refusals[name];
    for (let time = 0; kind !== undefined && time < 5; time += 1) await timeOf({ ...kind, from: () => lockedAddress });
  }
  const locked = new UserAgent({ 'x-forwarded-for': lockedAddress });
  const page = await reach(locked, authorizeUrl(provider.issuer), 'password', alice);
  expect(screenOf(pageOf(await locked.answer(page, { password: alice.password })))).toBe('password');

  const times = new Map(Object.keys(refusals).map((kind) => [kind, [] as number[]]));
  const nothing: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [kind, refusal] of shuffled(Object.entries(refusals))) times.get(kind)?.push(await timeOf(refusal));
    nothing.push(await timeOfNothing());
  }
  const wrong = times.get('wrong') ?? [];
  const told = [...times].map(([kind, sample]) => [kind, Math.abs(chanceOfGreater(sample, wrong) - 0.5)] as const);
  expect(told.filter(([, advantage]) => advantage > noticeable)).toEqual([]);
  expect(Math.abs(chanceOfGreater(nothing, wrong) - 0.5)).toBeGreaterThan(noticeable);
}, 120_000);
