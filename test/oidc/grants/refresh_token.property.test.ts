import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { brandId, type ClientId, type FamilyId } from '../../../src/core/ids.ts';
import type { KeyRing } from '../../../src/core/key_ring.ts';
import type { Client } from '../../../src/oidc/client.ts';
import type { Issue } from '../../../src/oidc/grants/grant.ts';
import { encodeRefreshToken } from '../../../src/oidc/refresh_token.ts';
import type { FamiliesInMemory } from '../families_in_memory.ts';
import {
  callback,
  granted,
  realmId,
  refused,
  ringOf,
  second,
  spa,
  start,
  verifier,
  web,
  withSettings,
} from '../parties.ts';
import { database, monthSeconds, newFamilyId, sealed, send } from './redeem.ts';
import { type Policy, RefreshModel, type Token, type Written } from './refresh_model.ts';

/**
 * Random histories of one family, once against the grant over the port in memory and once against the model. Every answer,
 * every audit event and the row after every step must agree.
 */
const hourSeconds = 3600;
const idleSeconds = 7 * 24 * hourSeconds;
const other: Client = { ...spa, clientId: brandId<ClientId>('other') };

/** Someone's hand: the text of a token and what the model calls it. */
type Held = Written & { readonly text: string };

class History {
  readonly model: RefreshModel;
  readonly families: FamiliesInMemory = database();
  readonly held: Held[] = [];
  readonly familyId: FamilyId = newFamilyId();
  readonly client: Client;
  keys: readonly number[] = [1];
  #expectedEvents: string[] = [];

  constructor(client: Client, policy: Policy) {
    this.client = client;
    this.model = new RefreshModel(policy, start);
  }

  async begin(): Promise<void> {
    const code = sealed({ client_id: this.client.clientId }, this.familyId, this.ring());
    const sent = { grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier, code };
    this.#hold(granted(await this.#send(sent)), this.model.current);
  }

  ring(): KeyRing {
    return ringOf(...this.keys);
  }

  async present(at: number): Promise<void> {
    const held = this.held[at % this.held.length];
    if (held === undefined) throw new Error('nobody holds a token');
    const before = this.families.calls.length;
    const expected = this.model.present(held);
    const result = await this.#send({ grant_type: 'refresh_token', refresh_token: held.text });
    if (expected.event !== null) this.#expectedEvents.push(expected.event);
    if (expected.answer === 'token') this.#hold(granted(result), expected.token);
    else {
      expect(refused(result).error).toBe('invalid_grant');
      if (!expected.asksDatabase) expect(this.families.calls.length).toBe(before);
    }
    this.agrees();
  }

  /** Uses what the database holds as current, again and again, as an honest client would. */
  async refresh(count: number): Promise<void> {
    for (let time = 0; time < count && !this.model.ended; time += 1) await this.presentBehind(0);
  }

  /** The current token (0), its parent (1), … where someone still holds it. */
  async presentBehind(generations: number): Promise<void> {
    let token: Token | null = this.model.current;
    for (let step = 0; step < generations; step += 1) token = token?.parent ?? null;
    const at = this.held.findLastIndex((held) => held.token === token);
    if (at !== -1) await this.present(at);
  }

  /** One of the tokens given out last, which may be ahead of a database that lost commits, or on a branch that it lost. */
  async presentLatest(behind: number): Promise<void> {
    await this.present(Math.max(0, this.held.length - behind));
  }

  /** A failover loses rotations, a new ring entry is in force, and the client that is behind goes on from there. */
  async fork(count: number): Promise<void> {
    await this.refresh(count);
    this.loseCommits(count);
    this.changeKeys(withNewKey(this.keys));
    await this.refresh(count);
  }

  /** A token of a branch that was lost, from one generation behind the current one to one ahead. */
  async presentLost(offset: number): Promise<void> {
    const line = new Set<Token>();
    for (let token: Token | null = this.model.current; token !== null; token = token.parent) line.add(token);
    const generation = this.model.current.generation + offset;
    const at = this.held.findLastIndex(({ token }) => token.generation === generation && !line.has(token));
    if (at !== -1) await this.present(at);
  }

  /** What must change nothing: the row, the audit log and the model stay as they are. */
  async changesNothing(
    text: string,
    client: Client,
    { asksDatabase }: { readonly asksDatabase: boolean },
  ): Promise<void> {
    const before = this.families.calls.length;
    const row = this.families.row(this.familyId);
    const sent = { grant_type: 'refresh_token', refresh_token: text };
    const result = await send(this.families, sent, { client, ring: this.ring(), now: this.families.now });
    expect(refused(result).error).toBe('invalid_grant');
    if (!asksDatabase) expect(this.families.calls.length).toBe(before);
    expect(this.families.row(this.familyId)).toBe(row);
    this.agrees();
  }

  agrees(): void {
    const row = this.families.row(this.familyId);
    expect(row?.generation).toBe(this.model.current.generation);
    expect(row?.revokedAt !== null).toBe(this.model.ended);
    expect<string[]>(this.families.audited.map(({ event }) => event)).toEqual(this.#expectedEvents);
    const current = this.held.filter(({ token }) => token === this.model.current);
    const secrets = new Set(current.map(({ text }) => Buffer.from(text, 'base64url').toString('hex', 25, 57)));
    expect(secrets.size).toBeLessThanOrEqual(1);
  }

  async revoke(): Promise<void> {
    if (!this.model.ended) this.#expectedEvents.push('token.revoked');
    this.model.end();
    expect(await this.families.revoke(this.familyId, realmId, this.client.clientId, 'revoked by client')).toBe(true);
    this.agrees();
  }

  step(seconds: number): void {
    this.families.now += seconds * second;
    this.model.now = this.families.now;
  }

  loseCommits(count: number): void {
    this.model.loseCommits(count);
    this.families.loseCommits(count);
    this.agrees();
  }

  changeKeys(keys: readonly number[]): void {
    this.keys = keys;
    this.model.ring = keys;
  }

  #send(sent: { readonly [name: string]: string }) {
    return send(this.families, sent, { client: this.client, ring: this.ring(), now: this.families.now });
  }

  #hold(issue: Issue, token: Token): void {
    if (issue.refreshToken === null) throw new Error('no refresh token');
    expect(issue.refreshToken.generation).toBe(token.generation);
    const text = encodeRefreshToken(this.ring(), realmId, issue.refreshToken);
    const known = this.held.find((held) => held.token === token);
    if (known !== undefined) expect(text.slice(34, 76)).toBe(known.text.slice(34, 76));
    this.held.push({ token, text, taggedWith: this.keys[0] ?? 0 });
  }
}

const withNewKey = (keys: readonly number[]): readonly number[] => [Math.max(...keys) + 1, ...keys].slice(0, 3);

type Step = (history: History) => unknown;

const forge = (text: string, at: number): string => {
  const place = at % text.length;
  return `${text.slice(0, place)}${text[place] === 'A' ? 'B' : 'A'}${text.slice(place + 1)}`;
};
const textOf = ({ held }: History, at: number): string => held[at % held.length]?.text ?? '';

const keep = (...steps: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Step>])[]) =>
  fc.oneof(...steps.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const times = fc.integer({ min: 1, max: 9 });
const waits = fc.constantFrom(1, 29, 30, 31, 299, 300, 301, hourSeconds, idleSeconds - 1);
const ends = fc.constantFrom(idleSeconds, monthSeconds - 1, monthSeconds);

/** Mostly what keeps a family alive, so that histories grow long; now and then what ends it. */
const steps: fc.Arbitrary<Step> = keep(
  [8, times.map((count) => (history) => history.refresh(count))],
  [4, fc.constant((history) => history.presentBehind(0))],
  [3, fc.constant((history) => history.presentBehind(1))],
  [1, fc.nat().map((at) => (history) => history.present(at))],
  [4, times.map((count) => (history) => history.presentLatest(count))],
  [2, fc.integer({ min: 1, max: 3 }).map((count) => (history) => history.fork(count))],
  [4, fc.integer({ min: -1, max: 1 }).map((offset) => (history) => history.presentLost(offset))],
  [3, waits.map((seconds) => (history) => history.step(seconds))],
  [5, times.map((count) => (history) => history.loseCommits(count))],
  [2, fc.nat().map((at) => (history) => history.changesNothing(textOf(history, at), other, { asksDatabase: true }))],
  [
    1,
    fc.tuple(fc.nat(), fc.nat()).map(([at, place]) => (history) => {
      return history.changesNothing(forge(textOf(history, at), place), history.client, { asksDatabase: false });
    }),
  ],
  [4, fc.constant((history) => history.changeKeys(withNewKey(history.keys)))],
  [1, fc.constant((history) => history.changeKeys(history.keys.slice(0, 2)))],
  [1, fc.integer({ min: 0, max: 5 }).map((dice) => (history) => (dice === 0 ? history.revoke() : undefined))],
  [
    1,
    fc.tuple(fc.integer({ min: 0, max: 3 }), ends).map(
      ([dice, seconds]) =>
        (history) =>
          dice === 0 && history.step(seconds),
    ),
  ],
);

const often = { numRuns: 120 };
const run = (client: Client, policy: Policy) =>
  fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 40, size: 'max' }), async (history) => {
      const family = new History(client, policy);
      await family.begin();
      for (const step of history) await step(family);
    }),
    often,
  );

const bounded = (client: Client, leewaySeconds = 30) =>
  withSettings(client, { refreshIdleLifetimeSeconds: idleSeconds, refreshLeewaySeconds: leewaySeconds });
const policy: Policy = { rotates: true, leewaySeconds: 30, idleSeconds, endsAt: start + monthSeconds * second };

describe('RFC 9700 §4.14.2: any history ends as the model says', () => {
  test.each([0, 30, 300])('property: a public client with a leeway of %d s', async (leewaySeconds) => {
    await run(bounded(spa, leewaySeconds), { ...policy, leewaySeconds });
  });

  test('property: a confidential client, whose parent may come at any time', async () => {
    await run(bounded(web), { ...policy, leewaySeconds: null });
  });

  test('property: a confidential client that does not rotate', async () => {
    const client = withSettings(bounded(web), { rotation: 'never' });
    await run(client, { ...policy, leewaySeconds: null, rotates: false });
  });

  test('property: a public client rotates though its policy says never', async () => {
    await run(withSettings(bounded(spa), { rotation: 'never' }), policy);
  });
});
