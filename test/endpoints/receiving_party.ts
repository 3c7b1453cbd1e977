/** The other side of a logout: a relying party on loopback that writes down what reaches it and answers as it is told. */
export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: { readonly [name: string]: string };
  readonly headers: Headers;
  readonly form: { readonly [name: string]: string };
};

export type ReceivingParty = {
  readonly origin: string;
  readonly received: readonly Received[];
  /** What reached this path so far. */
  readonly at: (path: string) => readonly Received[];
  /** From now on. */
  readonly answer: (status: number, headers?: { readonly [name: string]: string }) => void;
  /** Waits until so many requests have reached the path. */
  readonly until: (path: string, count: number) => Promise<readonly Received[]>;
  readonly stop: () => Promise<void>;
};

const pollMilliseconds = 25;
const longestWaitMilliseconds = 15_000;

export function startReceivingParty(): ReceivingParty {
  const received: Received[] = [];
  const answered: { status: number; headers: { readonly [name: string]: string } } = { status: 200, headers: {} };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const form = request.method === 'POST' ? new URLSearchParams(await request.text()) : new URLSearchParams();
      received.push({
        method: request.method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        form: Object.fromEntries(form),
      });
      const headers = { 'content-type': 'text/html; charset=utf-8', ...answered.headers };
      return new Response('<!doctype html><title>Relying party</title>', { status: answered.status, headers });
    },
  });
  const at = (path: string): readonly Received[] => received.filter((one) => one.path === path);
  return {
    origin: `http://127.0.0.1:${server.port}`,
    received,
    at,
    answer(status, headers = {}) {
      answered.status = status;
      answered.headers = headers;
    },
    async until(path, count) {
      for (let waited = 0; waited < longestWaitMilliseconds; waited += pollMilliseconds) {
        if (at(path).length >= count) return at(path);
        await Bun.sleep(pollMilliseconds);
      }
      throw new Error(`${at(path).length} of ${count} requests have reached ${path}`);
    },
    stop: () => server.stop(true),
  };
}
