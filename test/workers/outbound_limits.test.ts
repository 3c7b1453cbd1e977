import { afterEach, describe, expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { OutboundLimits } from '../../src/workers/outbound/policy.ts';
import { Turns } from '../../src/workers/outbound/turns.ts';
import { answer, openDoor, type Script, type ScriptedServer, startServer } from './outbound_servers.ts';

const running: ScriptedServer[] = [];
afterEach(() => {
  for (const server of running.splice(0)) server.stop();
});

const ask = async (script: Script, limits: Partial<OutboundLimits> = {}) => {
  const server = await startServer(script);
  running.push(server);
  const result = await openDoor({ limits }).get(`https://good.test:${server.port}/`, { accept: '*/*' });
  return { server, result, outcome: result.kind === 'failed' ? result.reason : result.kind };
};

const send =
  (head: string, body: Uint8Array): Script =>
  (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n`);
    socket.end(body);
  };

describe('a body', () => {
  const limits = { bodyBytes: 1000 };

  test.each([
    ['with its length', (size: number) => send(`Content-Length: ${size}\r\n`, Buffer.alloc(size, 'a'))],
    ['until the end of the connection', (size: number) => send('', Buffer.alloc(size, 'a'))],
    [
      'in chunks',
      (size: number) =>
        send('Transfer-Encoding: chunked\r\n', Buffer.from(`${size.toString(16)}\r\n${'a'.repeat(size)}\r\n0\r\n\r\n`)),
    ],
  ])('%s is read up to the limit', async (_, script) => {
    const { result } = await ask(script(1000), limits);
    expect(result.kind === 'answered' && result.body.byteLength).toBe(1000);
    expect((await ask(script(1001), limits)).outcome).toBe('too_large');
  });

  test('without end is cut off while it comes', async () => {
    let sent = 0;
    const pour = (socket: Socket): void => {
      if (socket.destroyed) return;
      sent += 64 * 1024;
      socket.write(Buffer.alloc(64 * 1024), () => setImmediate(pour, socket));
    };
    const { outcome, server } = await ask((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      pour(socket);
    });
    expect(outcome).toBe('too_large');
    while (server.openConnections() > 0) await Bun.sleep(5);
    expect(sent).toBeGreaterThan(256 * 1024);
  });

  test('that is announced too large is not waited for', async () => {
    const { outcome } = await ask((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n');
    });
    expect(outcome).toBe('too_large');
  });

  const text = 'b'.repeat(1000);
  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)(
    'compressed although that was not asked for (%s) counts as what comes out of it',
    async (coding, encode) => {
      const { result } = await ask(send(`Content-Encoding: ${coding}\r\n`, encode(text)), limits);
      expect(result.kind === 'answered' && new TextDecoder().decode(result.body)).toBe(text);
      expect((await ask(send(`Content-Encoding: ${coding}\r\n`, encode(`${text}b`)), limits)).outcome).toBe(
        'too_large',
      );
      expect((await ask(send(`Content-Encoding: ${coding}\r\n`, Buffer.from('nonsense')), limits)).outcome).toBe(
        'malformed',
      );
    },
  );

  test('of nine megabytes in nine kilobytes is refused', async () => {
    expect((await ask(send('Content-Encoding: gzip\r\n', gzipSync(Buffer.alloc(9_000_000))))).outcome).toBe(
      'too_large',
    );
  });

  test.each(['gzip, gzip', 'zstd', 'constructor', 'compress'])('in coding %s is not read', async (coding) => {
    expect((await ask(send(`Content-Encoding: ${coding}\r\n`, gzipSync(gzipSync('x'))))).outcome).toBe('malformed');
  });
});

describe('an answer that is no HTTP', () => {
  test.each([
    ['garbage\r\n\r\n', 'malformed'],
    ['', 'connection'],
    ['HTTP/1.1 200 OK\r\nContent-Len', 'connection'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort', 'connection'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'malformed'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc', 'malformed'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'malformed'],
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'malformed'],
    [answer('ok', `X: ${'a'.repeat(20_000)}`), 'too_large'],
    [answer('ok', ...Array.from({ length: 5000 }, () => 'X-Y: z')), 'too_large'],
  ])('%#', async (text, outcome) => {
    expect((await ask(text)).outcome).toBe(outcome as never);
  });

  test('interim answers are passed over', async () => {
    const { result } = await ask(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${answer('ok')}`);
    expect(result).toMatchObject({ kind: 'answered', status: 200 });
  });
});

describe('the deadline', () => {
  const limits = { deadlineMilliseconds: 200 };

  test.each<[string, Script]>([
    ['an answer that never begins', () => {}],
    ['an answer that stops in its head', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-')],
    ['an answer that stops in its body', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na')],
    [
      'an answer that comes a byte at a time',
      (socket) => {
        const drip = setInterval(() => socket.write('X'), 10);
        socket.on('close', () => clearInterval(drip));
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n');
      },
    ],
  ])('ends %s', async (_, script) => {
    const { outcome, server } = await ask(script, limits);
    expect(outcome).toBe('timeout');
    while (server.openConnections() > 0) await Bun.sleep(5);
  });

  test('ends a TLS handshake that never answers', async () => {
    const silent = await startServer(() => {}, 'plain');
    running.push(silent);
    const result = await openDoor({ limits }).get(`https://good.test:${silent.port}/`, { accept: '*/*' });
    expect(result).toMatchObject({ kind: 'failed', reason: 'timeout' });
    while (silent.openConnections() > 0) await Bun.sleep(5);
  });

  test('ends looking a name up', async () => {
    const door = openDoor({ limits }, () => new Promise(() => {}));
    expect(await door.get('https://good.test/', { accept: '*/*' })).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
    });
  });

  test('is one for all redirects together', async () => {
    const { outcome, server } = await ask((socket) =>
      setTimeout(() => socket.end('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'), 150),
    );
    expect(outcome).toBe('redirect');
    const result = await openDoor({ limits }).get(`https://good.test:${server.port}/`, { accept: '*/*', redirects: 3 });
    expect(result).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });

  test('refused connections fail before it', async () => {
    const server = await startServer('');
    server.stop();
    expect(await openDoor().get(`https://good.test:${server.port}/`, { accept: '*/*' })).toMatchObject({
      kind: 'failed',
      reason: 'connection',
    });
  });
});

describe('turns', () => {
  const never = new AbortController().signal;

  test('a host has its own bound, and one request more than may wait is told so', async () => {
    const held: Socket[] = [];
    const server = await startServer((socket) => held.push(socket));
    running.push(server);
    const door = openDoor({ limits: { atOncePerHost: 2, atOnce: 3, waiting: 1 } });
    const get = (host: string) => door.get(`https://${host}:${server.port}/`, { accept: '*/*' });
    const slow = [get('good.test'), get('good.test'), get('good.test')];
    while (held.length < 2) await Bun.sleep(5);
    expect(await get('good.test')).toMatchObject({ kind: 'failed', reason: 'busy' });
    const other = get('a.wild.test');
    while (held.length < 3) await Bun.sleep(5);
    expect(server.requests.filter((request) => request.includes('good.test'))).toHaveLength(2);
    for (const socket of held) socket.end(answer('ok'));
    while (held.length < 4) await Bun.sleep(5);
    held[3]?.end(answer('ok'));
    expect((await Promise.all([...slow, other])).map((result) => result.kind)).toEqual(Array(4).fill('answered'));
  });

  test('a request that waits too long leaves the queue', async () => {
    const turns = new Turns({ atOnce: 1, atOncePerHost: 1, waiting: 1 });
    const controller = new AbortController();
    expect(await turns.take('a', never)).toBe('granted');
    const waiting = turns.take('b', controller.signal);
    expect(await turns.take('c', never)).toBe('full');
    controller.abort();
    expect(await waiting).toBe('late');
    const next = turns.take('c', never);
    turns.giveBack('a');
    expect(await next).toBe('granted');
    expect(await turns.take('d', controller.signal)).toBe('late');
  });

  test('in any order of taking, giving back and giving up: never more than the bounds, and nobody is forgotten', async () => {
    const step = fc.record({
      host: fc.constantFrom('a', 'b', 'c'),
      does: fc.constantFrom('take', 'take', 'give', 'abort'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const turns = new Turns({ atOnce: 3, atOncePerHost: 2, waiting: 4 });
        const granted: string[] = [];
        const waiting = new Map<AbortController, string>();
        const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
        for (const { host, does } of steps) {
          if (does === 'give' && granted.includes(host)) {
            granted.splice(granted.indexOf(host), 1);
            turns.giveBack(host);
          } else if (does === 'abort') {
            for (const controller of [...waiting.keys()].slice(0, 1)) controller.abort();
          } else if (does === 'take') {
            const controller = new AbortController();
            waiting.set(controller, host);
            void turns.take(host, controller.signal).then((result) => {
              waiting.delete(controller);
              if (result === 'granted') granted.push(host);
            });
          }
          await settle();
          expect(granted.length).toBeLessThanOrEqual(3);
          expect(waiting.size).toBeLessThanOrEqual(4);
          for (const name of ['a', 'b', 'c']) {
            const taken = granted.filter((other) => other === name).length;
            expect(taken).toBeLessThanOrEqual(2);
            if ([...waiting.values()].includes(name)) expect(granted.length === 3 || taken === 2).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
