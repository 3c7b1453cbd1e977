import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { newId, type RealmId } from '../../src/core/ids.ts';
import { Admission, type Ticket } from '../../src/workers/password/admission.ts';
import { LockedCache } from '../../src/workers/password/locked_cache.ts';
import { PrefixLimit } from '../../src/workers/password/prefix_limit.ts';
import { RecentDurations } from '../../src/workers/password/recent_durations.ts';
import { Verdicts } from '../../src/workers/password/verdicts.ts';

const never = new AbortController().signal;

describe('admission', () => {
  const admitted = (admission: Admission, place = 'a'): Ticket => {
    const ticket = admission.admit(place);
    if (ticket === null) throw new Error('the queue is full');
    return ticket;
  };

  test('more than turns and waiting places: full, until one leaves', () => {
    const admission = new Admission({ turns: 1, waiting: 2 });
    const tickets = ['a', 'a', 'b'].map((place) => admission.admit(place));
    expect(tickets).not.toContain(null);
    expect(admission.admit('a')).toBeNull();
    tickets[0]?.leave();
    tickets[0]?.leave();
    expect(admission.admit('a')).not.toBeNull();
    expect(admission.admit('c')).toBeNull();
  });

  test('of one place, turns go in the order of asking; who waited for a verdict comes first', async () => {
    const admission = new Admission({ turns: 1, waiting: 9 });
    const order: string[] = [];
    const [first, second, third] = [admitted(admission), admitted(admission), admitted(admission)];
    await first.turn(never);
    const waits = [second, third].map(async (ticket, index) => {
      await ticket.turn(never);
      order.push(`later ${index + 1}`);
      ticket.leave();
    });
    first.giveBack();
    const again = first.turn(never).then(() => {
      order.push('sent back');
      first.leave();
    });
    await Promise.all([...waits, again]);
    expect(order).toEqual(['later 1', 'sent back', 'later 2']);
  });

  /** Asks for a turn for each, in this order, and passes the turn on as often as there are; the places as they come. */
  async function served(admission: Admission, holder: Ticket, places: readonly string[]): Promise<string> {
    const order: string[] = [];
    const waits = places.map(async (place) => {
      const ticket = admitted(admission, place);
      if (!(await ticket.turn(never))) return ticket.leave();
      order.push(place);
      ticket.leave();
    });
    holder.leave();
    await Promise.all(waits);
    return order.join('');
  }

  test('a place with sixty waiting: who comes from elsewhere has the next turn', async () => {
    const admission = new Admission({ turns: 1, waiting: 256 });
    const holder = admitted(admission, 'a');
    await holder.turn(never);
    expect(await served(admission, holder, [...'a'.repeat(60), 'b'])).toBe(`b${'a'.repeat(60)}`);
  });

  test('places take turns, whatever the length of their lines', async () => {
    const admission = new Admission({ turns: 1, waiting: 256 });
    const holder = admitted(admission, 'a');
    await holder.turn(never);
    expect(await served(admission, holder, [...'aaaaabbbcd'])).toBe('bcdababaaa');
  });

  test('who is sent back comes first of its own place, not before others', async () => {
    const admission = new Admission({ turns: 1, waiting: 9 });
    const sentBack = admitted(admission, 'a');
    await sentBack.turn(never);
    const order: string[] = [];
    const come = async (ticket: Ticket, name: string) => {
      await ticket.turn(never);
      order.push(name);
      ticket.leave();
    };
    const waits = ['a', 'b', 'a'].map((place) => come(admitted(admission, place), place));
    sentBack.giveBack();
    await Promise.all([come(sentBack, 'sent back'), ...waits]);
    expect(order).toEqual(['b', 'sent back', 'a', 'a']);
  });

  test('a full queue: the newest of the fullest place makes room for one with fewer, and for no other', async () => {
    const admission = new Admission({ turns: 1, waiting: 3 });
    const holder = admitted(admission, 'a');
    await holder.turn(never);
    const waiting = ['a', 'a', 'a'].map((place) => admitted(admission, place));
    const outcomes = waiting.map((ticket) => ticket.turn(never));
    expect(admission.admit('a')).toBeNull();
    const newcomer = admitted(admission, 'b');
    expect(await outcomes[2]).toBe(false);
    waiting[2]?.leave();
    const turn = newcomer.turn(never);
    // Two of a, one of b: nobody has to go any more.
    expect([admission.admit('a'), admission.admit('b')]).toEqual([null, null]);
    holder.leave();
    expect(await turn).toBe(true);
    newcomer.leave();
    expect(await outcomes[0]).toBe(true);
  });

  test('while one of a place waits, no other place is served twice before it', async () => {
    const place = fc.constantFrom('a', 'b', 'c', 'd');
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 40 }), place, async (places, first) => {
        const admission = new Admission({ turns: 1, waiting: 256 });
        const holder = admitted(admission, first);
        await holder.turn(never);
        const order = first + (await served(admission, holder, places));
        expect([...order].toSorted()).toEqual([first, ...places].toSorted());
        for (const one of new Set(places)) {
          const last = order.lastIndexOf(one);
          for (const between of order.slice(0, last).split(one).slice(0, -1)) {
            expect(new Set(between).size).toBe(between.length);
          }
        }
      }),
    );
  });

  test('a signal ends the waiting and passes no turn on', async () => {
    const admission = new Admission({ turns: 1, waiting: 9 });
    const [holder, aborted, next] = [admitted(admission), admitted(admission), admitted(admission)];
    const abort = new AbortController();
    await holder.turn(never);
    const outcomes = [aborted.turn(abort.signal), next.turn(never)] as const;
    abort.abort();
    expect(await outcomes[0]).toBe(false);
    holder.leave();
    expect(await outcomes[1]).toBe(true);
  });

  test('whatever is asked, given back and left: never more turns than there are, and none is lost', async () => {
    const act = fc.record({
      ticket: fc.nat({ max: 5 }),
      act: fc.constantFrom('turn', 'turn', 'turn', 'giveBack', 'giveBack', 'abort'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
        const admission = new Admission({ turns: 2, waiting: 20 });
        const people = [...'aaabbc'].map((place) => ({
          ticket: admitted(admission, place),
          abort: new AbortController(),
        }));
        const turns: Promise<boolean>[] = [];
        for (const { ticket, act } of acts) {
          const person = people[ticket];
          if (person === undefined) continue;
          if (act === 'turn') turns.push(person.ticket.turn(person.abort.signal));
          else if (act === 'abort') person.abort.abort();
          else person.ticket.giveBack();
          await Bun.sleep(0);
          expect(people.filter((one) => one.ticket.hasTurn).length).toBeLessThanOrEqual(2);
        }
        for (const { ticket, abort } of people) {
          abort.abort();
          await Bun.sleep(0);
          ticket.leave();
        }
        await Promise.all(turns);
        for (const { ticket } of people) ticket.leave();
        const fresh = [admitted(admission), admitted(admission)];
        expect(await Promise.all(fresh.map((ticket) => ticket.turn(never)))).toEqual([true, true]);
      }),
    );
  });
});

describe('the locked cache', () => {
  const key = { realmId: newId<RealmId>(), name: 'name:x', context: 'address:192.0.2.1/32' };

  test('forgets when the lock ends, and long before that asks the database again', () => {
    const cache = new LockedCache(10_000);
    cache.remember(key, 3_000, 1_000);
    expect(cache.remainingMilliseconds(key, 3_999)).toBe(1);
    expect(cache.remainingMilliseconds(key, 4_000)).toBe(0);
    cache.remember(key, 900_000, 1_000);
    expect(cache.remainingMilliseconds(key, 1_000)).toBe(10_000);
    expect(cache.remainingMilliseconds(key, 11_000)).toBe(0);
  });

  test('is of one realm, name and context', () => {
    const cache = new LockedCache(10_000);
    cache.remember(key, 3_000, 0);
    for (const change of [{ realmId: newId<RealmId>() }, { name: 'name:y' }, { context: 'account' }]) {
      expect(cache.remainingMilliseconds({ ...key, ...change }, 0)).toBe(0);
    }
  });
});

describe('the prefix limit', () => {
  test('refuses one more than the prefix may have waiting, and nobody else', () => {
    const limit = new PrefixLimit({ perPrefix: 2, overall: 100 });
    const leave = limit.enter('a');
    expect(limit.enter('a')).not.toBeNull();
    expect(limit.enter('a')).toBeNull();
    expect(limit.enter('b')).not.toBeNull();
    leave?.();
    expect(limit.enter('a')).not.toBeNull();
    expect(limit.enter('a')).toBeNull();
  });

  test('counts an address that stands for everybody only against the process', () => {
    const limit = new PrefixLimit({ perPrefix: 1, overall: 3 });
    expect([1, 2, 3].map(() => limit.enter(null))).not.toContain(null);
    expect(limit.enter(null)).toBeNull();
  });
});

test('recent durations: draws only what was recorded, and forgets the oldest', () => {
  const durations = new RecentDurations();
  expect(durations.draw()).toBeNull();
  for (let sample = 0; sample < 1_000; sample++) durations.record(sample);
  const drawn = Array.from({ length: 500 }, () => durations.draw() ?? -1);
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(1_000 - 128);
  expect(new Set(drawn).size).toBeGreaterThan(10);
});

describe('verdicts', () => {
  const key = { realmId: newId<RealmId>(), subject: 'user:x', context: 'account' };
  const longer = 60_000;

  test('wake everybody who waits for this key', async () => {
    const verdicts = new Verdicts();
    const woken = Promise.all([verdicts.next(key, longer, never), verdicts.next(key, longer, never)]);
    verdicts.announce({ ...key, subject: 'user:y' });
    verdicts.announce(key);
    await woken;
  });

  test('are not waited for longer than said, nor after the signal', async () => {
    const verdicts = new Verdicts();
    const abort = new AbortController();
    const aborted = verdicts.next(key, longer, abort.signal);
    abort.abort();
    await Promise.all([aborted, verdicts.next(key, longer, abort.signal), verdicts.next(key, 1, never)]);
  });
});
