import { afterEach, describe, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { version } from '../../package.json' with { type: 'json' };
import { silentLog } from '../../src/core/log.ts';
import { certificatesFault, createOutbound } from '../../src/workers/outbound/index.ts';
import {
  answer,
  type Certificate,
  openDoor,
  portOf,
  type Script,
  type ScriptedServer,
  startServer,
  testAuthority,
  testPolicy,
} from './outbound_servers.ts';

const running: ScriptedServer[] = [];
const serve = async (script: Script, certificate?: Certificate | 'plain'): Promise<ScriptedServer> => {
  const server = await startServer(script, certificate);
  running.push(server);
  return server;
};
afterEach(() => {
  for (const server of running.splice(0)) server.stop();
});

const json = { accept: 'application/json' };

describe('a request', () => {
  test('is HTTP/1.1 with a fixed User-Agent, the Accept of the call and nothing that identifies more', async () => {
    const server = await serve(
      answer('{"a":1}', 'Content-Type: application/json', 'Set-Cookie: a=b', 'X-A: 1', 'x-a: 2'),
    );
    const door = openDoor();
    const result = await door.get(`https://good.test:${server.port}/a/b?c=d#e`, json);
    expect(result).toMatchObject({ kind: 'answered', status: 200, url: `https://good.test:${server.port}/a/b?c=d` });
    if (result.kind !== 'answered') throw new Error();
    expect(new TextDecoder().decode(result.body)).toBe('{"a":1}');
    expect(Object.fromEntries(result.headers)).toEqual({
      'content-length': '7',
      'content-type': 'application/json',
      'x-a': '1, 2',
    });
    const [head = ''] = server.requests;
    const [start, ...lines] = head.trimEnd().split('\r\n');
    expect(start).toBe('GET /a/b?c=d HTTP/1.1');
    expect(lines.map((line) => line.toLowerCase()).toSorted()).toEqual(
      [
        'accept: application/json',
        'accept-encoding: identity',
        'connection: close',
        `host: good.test:${server.port}`,
        `user-agent: limen/${version}`,
      ].toSorted(),
    );
  });

  test('carries no cookie that an earlier answer set', async () => {
    const server = await serve(answer('ok', 'Set-Cookie: a=b; Path=/'));
    const door = openDoor();
    await door.get(`https://good.test:${server.port}/`, json);
    await door.get(`https://good.test:${server.port}/`, json);
    expect(server.requests).toHaveLength(2);
    expect(server.requests.join()).not.toMatch(/cookie/i);
  });

  test('by POST carries the body once, with its length and type', async () => {
    const server = await serve('HTTP/1.1 204 No Content\r\n\r\n');
    const result = await openDoor().post(`https://good.test:${server.port}/`, 'logout_token=ä', {
      accept: '*/*',
      contentType: 'application/x-www-form-urlencoded',
      headers: { 'Webhook-Id': 'msg_1' },
    });
    expect(result).toMatchObject({ kind: 'answered', status: 204 });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toStartWith('POST / HTTP/1.1\r\n');
    expect(server.requests[0]).toMatch(/content-length: 15\r\n/i);
    expect(server.requests[0]).toMatch(/content-type: application\/x-www-form-urlencoded\r\n/i);
    expect(server.requests[0]).toMatch(/webhook-id: msg_1\r\n/i);
  });

  test.each([['host'], ['Cookie'], ['Transfer-Encoding'], ['a b'], ['a:']])(
    'with a header %s is a bug',
    async (name) => {
      expect(() => openDoor().get('https://good.test/', { ...json, headers: { [name]: 'x' } })).toThrow();
    },
  );

  test('with a line break in a header value is a bug', () => {
    expect(() => openDoor().get('https://good.test/', { accept: 'a\r\nb: c' })).toThrow();
    expect(() => openDoor().get('https://good.test/', { ...json, headers: { a: '\n' } })).toThrow();
  });

  test('an error status is an answer', async () => {
    const server = await serve('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    expect(await openDoor().get(`https://good.test:${server.port}/`, json)).toMatchObject({ status: 503 });
  });

  test('leaves no connection open', async () => {
    const server = await serve((socket) => socket.write(answer('ok')));
    await openDoor().get(`https://good.test:${server.port}/`, json);
    while (server.openConnections() > 0) await Bun.sleep(5);
    expect(server.connections()).toBe(1);
  });
});

describe('names', () => {
  test('are looked up once, and what was checked is what is connected to', async () => {
    const server = await serve(answer('ok'));
    const asked: string[] = [];
    // A second question would get another answer, as with DNS rebinding.
    const door = openDoor({}, async (host) => {
      asked.push(host);
      return [asked.length === 1 ? '127.0.0.1' : '127.0.0.2'];
    });
    // No name server knows a name below .test: only the address handed over can have been used.
    expect(await door.get(`https://good.test:${server.port}/`, json)).toMatchObject({ kind: 'answered' });
    expect(asked).toEqual(['good.test']);
  });

  test('that lead to an address that is denied are not connected to', async () => {
    const server = await serve(answer('ok'));
    const door = openDoor({ loopback: false });
    expect(await door.get(`https://good.test:${server.port}/`, json)).toMatchObject({
      kind: 'refused',
      rule: 'address',
    });
    expect(server.connections()).toBe(0);
    expect(door.lines).toContainEqual(
      expect.objectContaining({ event: 'outbound.denied', address: '127.0.0.1', addressKind: 'loopback' }),
    );
  });

  test('with one denied address among permitted ones are not connected to', async () => {
    const server = await serve(answer('ok'));
    const door = openDoor({}, async () => ['127.0.0.1', '10.0.0.1']);
    expect(await door.get(`https://good.test:${server.port}/`, json)).toMatchObject({
      kind: 'refused',
      rule: 'address',
    });
    expect(server.connections()).toBe(0);
  });

  test('without an address fail', async () => {
    const unknown = async () => {
      throw Object.assign(new Error('x'), { code: 'ENOTFOUND' });
    };
    expect(await openDoor({}, unknown).get('https://good.test/', json)).toEqual({
      kind: 'failed',
      reason: 'dns',
      detail: 'ENOTFOUND',
    });
    expect(await openDoor({}, async () => []).get('https://good.test/', json)).toMatchObject({ reason: 'dns' });
  });

  test('are looked up by the system where nothing else is given', async () => {
    const server = await serve(answer('ok'), 'plain');
    const outbound = createOutbound(testPolicy, { log: silentLog });
    expect(await outbound.get(`http://localhost:${server.port}/`, json)).toMatchObject({ kind: 'answered' });
  });

  test('an address in the URL is not looked up', async () => {
    const server = await serve(answer('ok'), 'address');
    const door = openDoor({}, async () => {
      throw new Error('looked up');
    });
    expect(await door.get(`https://127.0.0.1:${server.port}/`, json)).toMatchObject({ kind: 'answered' });
    expect(server.requests[0]).toMatch(/host: 127\.0\.0\.1:\d+\r\n/i);
  });

  test('a second address is tried where the first one does not listen', async () => {
    const server = await serve(answer('ok'));
    const door = openDoor({}, async () => ['::1', '127.0.0.3', '127.0.0.1']);
    expect(await door.get(`https://good.test:${server.port}/`, json)).toMatchObject({ kind: 'answered' });
    expect(server.connections()).toBe(1);
  });
});

describe('certificates', () => {
  const ask = async (certificate: Certificate, host = 'good.test', policy = {}) => {
    const server = await serve(answer('ok'), certificate);
    const result = await openDoor(policy).get(`https://${host}:${server.port}/`, json);
    return {
      outcome: result.kind === 'failed' ? result.reason : result.kind,
      requests: server.requests.length,
      result,
    };
  };

  test.each([
    ['names', 'good.test'],
    ['names', 'a.wild.test'],
    ['names', 'localhost'],
    ['address', '127.0.0.1'],
  ] as const)('%s is right for %s', async (certificate, host) => {
    expect(await ask(certificate, host)).toMatchObject({ outcome: 'answered', requests: 1 });
  });

  test.each([
    ['names', 'other.test', 'another name'],
    ['names', 'wild.test', 'a wildcard is for one label'],
    ['names', 'a.b.wild.test', 'a wildcard is for one label'],
    ['names', '127.0.0.1', 'a name is no address'],
    // The connection is to 127.0.0.1 all the same: what counts is the name in the URL.
    ['address', 'good.test', 'an address is no name'],
    ['other', 'good.test', 'another name'],
    ['common_name', 'good.test', 'the common name does not count'],
    ['expired', 'good.test', 'expired'],
    ['self_signed', 'good.test', 'nobody vouches'],
  ] as const)('%s is refused for %s: %s', async (certificate, host) => {
    expect(await ask(certificate, host)).toMatchObject({ outcome: 'tls', requests: 0 });
  });

  test('an authority counts only where the operator named it', async () => {
    expect(await ask('names', 'good.test', { extraCertificates: null })).toMatchObject({
      outcome: 'tls',
      requests: 0,
      result: { detail: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    });
  });

  test('a server that does not speak TLS fails', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('220 mail.test ESMTP\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const result = await openDoor().get(`https://good.test:${portOf(server)}/`, json);
    server.close();
    expect(result).toMatchObject({ kind: 'failed', reason: 'tls' });
  });

  test('a file with authorities is examined', () => {
    expect(certificatesFault(testAuthority)).toBeNull();
    expect(certificatesFault(`comment\n${testAuthority}${testAuthority}`)).toBeNull();
    expect(certificatesFault('')).toBe('holds no PEM certificate');
    expect(certificatesFault('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toBe(
      'holds a certificate that cannot be read',
    );
  });
});

test('the environment can neither name a proxy nor switch certificate checks off', async () => {
  const [server, wrong, proxy] = [
    await serve(answer('ok')),
    await serve(answer('ok'), 'other'),
    await serve('', 'plain'),
  ];
  const proxyUrl = `http://127.0.0.1:${proxy.port}`;
  const child = Bun.spawn({
    cmd: [
      process.execPath,
      new URL('outbound_environment_child.ts', import.meta.url).pathname,
      `https://good.test:${server.port}/`,
      `https://good.test:${wrong.port}/`,
    ],
    env: {
      HTTP_PROXY: proxyUrl,
      HTTPS_PROXY: proxyUrl,
      http_proxy: proxyUrl,
      https_proxy: proxyUrl,
      ALL_PROXY: proxyUrl,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    },
    stderr: 'ignore',
  });
  const said: unknown = await new Response(child.stdout).json();
  // The control shows that the variables work for a client that obeys them.
  expect(said).toEqual({ control: 'failed', plain: 200, refused: 'tls' });
  expect(proxy.requests).toHaveLength(1);
  expect(proxy.requests[0]).toStartWith('CONNECT good.test:');
  expect(server.requests).toHaveLength(1);
  expect(wrong.requests).toEqual([]);
});

describe('http', () => {
  test('goes to loopback where that is switched on', async () => {
    const server = await serve(answer('ok'), 'plain');
    const url = `http://good.test:${server.port}/`;
    expect(await openDoor().get(url, json)).toMatchObject({ kind: 'answered' });
    expect(await openDoor({ loopback: false }).get(url, json)).toMatchObject({ kind: 'refused', rule: 'plain_http' });
    expect(await openDoor({ loopback: false }).get(url, { ...json, plainHttp: true })).toMatchObject({
      kind: 'refused',
      rule: 'address',
    });
    expect(server.connections()).toBe(1);
  });
});

describe('redirects', () => {
  const redirect = (location: string, status = 302): string =>
    `HTTP/1.1 ${status} Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
  const path = (request: string): string => request.split(' ')[1] ?? '';
  /** /1 → /2 → /3 → … */
  const chain: Script = (socket, request) => socket.end(redirect(`/${Number(path(request).slice(1)) + 1}`));

  test.each([301, 302, 303, 307, 308])('are not followed: %i', async (status) => {
    const server = await serve(redirect('/x', status));
    expect(await openDoor().get(`https://good.test:${server.port}/`, json)).toMatchObject({
      kind: 'failed',
      reason: 'redirect',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('are followed as often as asked for, and no more', async () => {
    const server = await serve(chain);
    expect(await openDoor().get(`https://good.test:${server.port}/1`, { ...json, redirects: 3 })).toMatchObject({
      kind: 'failed',
      reason: 'redirect',
    });
    expect(server.requests.map(path)).toEqual(['/1', '/2', '/3', '/4']);
  });

  test('lead to an answer with its own URL, without the headers of the call at another origin', async () => {
    const there = await serve(answer('there'));
    const here = await serve((socket, request) =>
      socket.end(redirect(path(request) === '/1' ? '/2' : `https://a.wild.test:${there.port}/x`)),
    );
    const result = await openDoor().get(`https://good.test:${here.port}/1`, {
      ...json,
      redirects: 2,
      headers: { authorization: 'Bearer x' },
    });
    expect(result).toMatchObject({ kind: 'answered', url: `https://a.wild.test:${there.port}/x` });
    expect(here.requests.filter((request) => /authorization: Bearer x/i.test(request))).toHaveLength(2);
    expect(there.requests.join()).not.toMatch(/authorization/i);
    expect(there.requests.join()).toMatch(/accept: application\/json/i);
  });

  test('to a denied address are refused', async () => {
    const names: Record<string, string> = { 'good.test': '127.0.0.1', 'inner.test': '10.0.0.1' };
    const server = await serve(redirect('https://inner.test/'));
    const door = openDoor({}, async (host) => [names[host] ?? '']);
    expect(await door.get(`https://good.test:${server.port}/`, { ...json, redirects: 3 })).toMatchObject({
      kind: 'refused',
      rule: 'address',
    });
  });

  test.each([
    ['http://good.test/', 'downgrade'],
    ['ftp://good.test/', 'downgrade'],
    ['https://me:pw@good.test/', 'credentials'],
    ['https://0x7f.1/', 'host'],
    ['https://169.254.169.254/latest/meta-data/', 'address'],
    ['//169.254.169.254/', 'address'],
  ])('to %s are refused', async (location, rule) => {
    const server = await serve(redirect(location));
    expect(await openDoor().get(`https://good.test:${server.port}/`, { ...json, redirects: 3 })).toMatchObject({
      kind: 'refused',
      rule,
    });
    expect(server.requests).toHaveLength(1);
  });

  test('never send a POST again', async () => {
    const server = await serve(redirect('/x', 307));
    const result = await openDoor().post(`https://good.test:${server.port}/`, 'x', {
      ...json,
      contentType: 'text/plain',
    });
    expect(result).toMatchObject({ kind: 'failed', reason: 'redirect' });
    expect(server.requests).toHaveLength(1);
  });
});

test('the log has the origin only: a path can be what opens a webhook', async () => {
  const door = openDoor({}, async () => []);
  await door.get('https://hooks.example.com/T0/secret?key=secret', json);
  await door.get('https://me:secret@hooks.example.com/secret', json);
  expect(door.lines.map((line) => line['origin'])).toEqual(['https://hooks.example.com', 'https://hooks.example.com']);
  expect(JSON.stringify(door.lines)).not.toContain('secret');
});
