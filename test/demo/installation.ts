import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { Secret } from '../../src/core/secret.ts';
import { systemClock } from '../../src/core/time.ts';
import { type DemoAccess, seed } from '../../src/demo/seed.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { testDatabase } from '../database.ts';
import { freePorts } from '../free_port.ts';

/** What an operator brings to `serve`: a migrated database with the sample realms, a key ring, a port, and the variables. */
export type Installation = {
  readonly port: number;
  readonly access: DemoAccess;
  readonly database: Database;
  readonly environment: { readonly [name: string]: string };
  readonly remove: () => Promise<void>;
};

/** @param publicUrlAt how browsers reach the port */
export async function install(
  publicUrlAt: (port: number) => string = (port) => `http://127.0.0.1:${port}`,
): Promise<Installation> {
  const [port = 0] = freePorts(1);
  const { url, drop } = await testDatabase();
  const database = openDatabase({ url, connections: 2, applicationName: 'test' });
  const master = randomBytes(32);
  const publicUrl = publicUrlAt(port);
  const access = await seed({
    database,
    ring: new KeyRing([new Secret<Uint8Array>(master)]),
    publicUrl,
    relyingPartyUrl: 'http://127.0.0.1:4020',
    clock: systemClock,
    knownSecret: () => null,
    progress: () => {},
  });
  return {
    port,
    access,
    database,
    environment: {
      DATABASE_URL: url,
      LIMEN_SECRETS: encodeBase64url(master),
      LIMEN_PUBLIC_URL: publicUrl,
      LIMEN_HOST: '127.0.0.1',
      LIMEN_PORT: String(port),
    },
    async remove() {
      await database.close();
      await drop();
    },
  };
}
