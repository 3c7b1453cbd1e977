import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type ConnectionOptions, connect } from 'node:tls';
import { type Listening, listen } from '../src/server.ts';
import { selfSignedCertificate } from './self_signed_certificate.ts';

/** What `limen serve` offers by TLS of its own: what the conformance suite looks at beside its modules. */

const folder = mkdtempSync(`${tmpdir()}/limen-server-`);
let server: Listening;

beforeAll(() => {
  const { certificate, key } = selfSignedCertificate(new Date());
  const tls = { certificateFile: `${folder}/certificate.pem`, keyFile: `${folder}/key.pem` };
  writeFileSync(tls.certificateFile, certificate);
  writeFileSync(tls.keyFile, key);
  const app = { fetch: async () => new Response('here') };
  const listening = listen(app, { host: '127.0.0.1', port: 0, tls, reusePort: false });
  if (!listening.ok) throw new Error(listening.error);
  server = listening.value;
});

afterAll(async () => {
  await server.drain();
  rmSync(folder, { recursive: true });
});

/** Protocol and cipher that are agreed on; null: none is. */
const agreed = (offer: ConnectionOptions): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false, ...offer });
    socket.once('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
      socket.destroy();
    });
    socket.once('error', () => resolve(null));
    socket.once('close', () => resolve(null));
  });

describe('RFC 9325', () => {
  test('§3.1.1: TLS 1.3 is preferred, 1.2 is there, nothing older is', async () => {
    expect(await agreed({})).toStartWith('TLSv1.3 ');
    expect(await agreed({ maxVersion: 'TLSv1.2' })).toStartWith('TLSv1.2 ');
    expect(await agreed({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).toBeNull();
  });

  test('§4.2: TLS 1.2 only with forward secrecy and an authenticated cipher', async () => {
    const only = (ciphers: string) => agreed({ maxVersion: 'TLSv1.2', ciphers });
    expect(await only('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256');
    expect(await only('ECDHE-ECDSA-AES256-GCM-SHA384')).toBe('TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384');
    expect(await only('ECDHE-ECDSA-AES128-SHA')).toBeNull();
    expect(await only('ECDHE-ECDSA-AES256-SHA')).toBeNull();
  });
});
