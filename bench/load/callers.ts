import { type BenchClient, basic } from '../parties.ts';

/** Callers in this process, for what wrk cannot do: more families than connections, and a count over minutes. */
export type Callers = {
  /** Answers so far. */
  readonly answered: () => number;
  /** Lets requests in flight end. Throws the first failure, if there was one. */
  readonly stop: () => Promise<void>;
  readonly failure: () => Error | null;
};

/** Each caller takes the family that waited longest and puts it back with its new token: no family has two callers. */
export function keepRefreshing(
  origin: string,
  client: BenchClient,
  tokens: readonly string[],
  callersCount: number,
): Callers {
  // A ring: `taken` runs behind `put` by as many as wait, which is never none.
  const ring = [...tokens];
  let taken = 0;
  let put = 0;
  let answered = 0;
  let stopped = false;
  let failure: Error | null = null;
  const headers = { authorization: basic(client), 'content-type': 'application/x-www-form-urlencoded' };
  const caller = async (): Promise<void> => {
    while (!stopped) {
      const token = ring[taken++ % ring.length] ?? '';
      const body = `grant_type=refresh_token&refresh_token=${token}`;
      const response = await fetch(`${origin}/token`, { method: 'POST', headers, body });
      ring[put++ % ring.length] = refreshTokenOf(await response.json());
      answered += 1;
    }
  };
  const guarded = (): Promise<void> =>
    caller().catch((thrown: unknown) => {
      failure ??= thrown instanceof Error ? thrown : new Error(String(thrown));
      stopped = true;
    });
  if (callersCount > tokens.length) throw new Error('there must be a family for each caller');
  const running = Promise.all(Array.from({ length: callersCount }, guarded));
  return {
    answered: () => answered,
    failure: () => failure,
    async stop() {
      stopped = true;
      await running;
      if (failure !== null) throw failure;
    },
  };
}

export function refreshTokenOf(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'refresh_token' in body && typeof body.refresh_token === 'string') {
    return body.refresh_token;
  }
  throw new Error(`no refresh token: ${JSON.stringify(body)}`);
}
