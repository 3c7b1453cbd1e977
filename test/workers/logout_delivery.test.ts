import { describe, expect, test } from 'bun:test';
import { brandId, type ClientId, newId, type RealmId, type SessionId, type UserId } from '../../src/core/ids.ts';
import { createLog } from '../../src/core/log.ts';
import {
  createLogoutDelivery,
  type LogoutDelivery,
  type LogoutDeliveryPorts,
  retryAfterSeconds,
} from '../../src/workers/logout_delivery.ts';

const delivery = (attempt = 1): LogoutDelivery => ({
  id: newId(),
  realmId: newId<RealmId>(),
  sessionId: newId<SessionId>(),
  userId: newId<UserId>(),
  clientId: brandId<ClientId>('rp'),
  attempt,
});

type Settled = { readonly kind: 'delivered' | 'failed' | 'abandoned'; readonly id: string; readonly detail?: object };

/** One turn of the job over these deliveries, handed out in batches as they are asked for. */
async function turn(waiting: readonly LogoutDelivery[], change: Partial<LogoutDeliveryPorts> = {}) {
  const settled: Settled[] = [];
  const posted: { readonly url: string; readonly form: object }[] = [];
  const left = [...waiting];
  const ports: LogoutDeliveryPorts = {
    claim: async (limit) => left.splice(0, limit),
    delivered: async ({ id }) => void settled.push({ kind: 'delivered', id }),
    failed: async ({ id }, detail) => {
      settled.push({ kind: 'failed', id, detail });
      return 'waits';
    },
    abandon: async ({ id }, why) => void settled.push({ kind: 'abandoned', id, detail: { why } }),
    queueLate: async () => 0,
    prepare: async () => ({ kind: 'ready', url: 'https://rp.example/ended', logoutToken: 'a.b.c' }),
    post: async (url, form) => {
      posted.push({ url, form });
      return { kind: 'answered', status: 200 };
    },
    clock: () => 0,
    log: createLog(
      'error',
      () => {},
      () => 0,
    ),
    ...change,
  };
  const job = createLogoutDelivery(ports);
  const failure = await job.run().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { settled, posted, failure, job };
}

describe('OIDC Back-Channel Logout §2.5, §2.8', () => {
  test('the form is exactly the logout token', async () => {
    const { posted } = await turn([delivery()]);
    expect(posted).toEqual([{ url: 'https://rp.example/ended', form: { logout_token: 'a.b.c' } }]);
  });

  test.each([200, 204])('%d is success', async (status) => {
    const { settled } = await turn([delivery()], { post: async () => ({ kind: 'answered', status }) });
    expect(settled).toMatchObject([{ kind: 'delivered' }]);
  });

  test.each([201, 302, 400, 401, 404, 429, 500, 501, 503])(
    '%d is not: tried again, others of the client go on',
    async (status) => {
      const { settled } = await turn([delivery()], { post: async () => ({ kind: 'answered', status }) });
      expect(settled).toMatchObject([
        { kind: 'failed', detail: { fault: `the client answered with status ${status}`, pauseClientSeconds: null } },
      ]);
    },
  );

  test('no answer: tried again, and the client is left alone for a moment', async () => {
    const { settled } = await turn([delivery(3)], {
      post: async () => ({ kind: 'unanswered', sentence: 'timeout: no answer' }),
    });
    expect(settled).toMatchObject([
      { kind: 'failed', detail: { fault: 'timeout: no answer', retryAfterSeconds: 300, pauseClientSeconds: 10 } },
    ]);
  });

  test('nobody to tell: given up, and nothing is sent', async () => {
    const { settled, posted } = await turn([delivery()], {
      prepare: async () => ({ kind: 'pointless', why: 'the client is gone or disabled' }),
    });
    expect(settled).toMatchObject([{ kind: 'abandoned', detail: { why: 'the client is gone or disabled' } }]);
    expect(posted).toEqual([]);
  });

  test('a token that cannot be made is a failed attempt like any other', async () => {
    const { settled, posted } = await turn([delivery()], {
      prepare: () => Promise.reject(new Error('no key')),
    });
    expect(settled).toMatchObject([{ kind: 'failed', detail: { fault: 'the logout token could not be made' } }]);
    expect(posted).toEqual([]);
  });
});

describe('the back-off', () => {
  test('is 10 s, 1 min, 5 min, 30 min, 2 h, and 2 h from then on', () => {
    expect([1, 2, 3, 4, 5, 6, 40].map(retryAfterSeconds)).toEqual([10, 60, 300, 1800, 7200, 7200, 7200]);
  });

  test('ends after a day', async () => {
    const { settled } = await turn([delivery()], { post: async () => ({ kind: 'answered', status: 500 }) });
    expect(settled).toMatchObject([{ detail: { giveUpAfterSeconds: 86_400 } }]);
  });
});

describe('one turn', () => {
  test('takes batch after batch until nothing is due', async () => {
    const { settled } = await turn(Array.from({ length: 50 }, () => delivery()));
    expect(settled).toHaveLength(50);
  });

  test('one that cannot be settled leaves none of the others unsettled, and the turn says so', async () => {
    const [bad, ...good] = Array.from({ length: 5 }, () => delivery());
    const told: string[] = [];
    const { failure } = await turn([bad ?? delivery(), ...good], {
      delivered: async ({ id }) => {
        if (id === bad?.id) throw new Error('the database is away');
        await Bun.sleep(5);
        told.push(id);
      },
    });
    expect(told).toEqual(good.map(({ id }) => id));
    expect(failure).toBeInstanceOf(Error);
  });

  test('looks back for what was late at most every thirty seconds', async () => {
    const looks: number[] = [];
    const time = { now: 1000 };
    const { job } = await turn([], { clock: () => time.now, queueLate: async () => looks.push(time.now) });
    time.now += 29_000;
    await job.run();
    time.now += 1000;
    await job.run();
    expect(looks).toEqual([1000, 31_000]);
  });
});
