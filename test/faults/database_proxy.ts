import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Stands between a process and Postgres, counts what is said and can make the database unreachable. It reads the
 * frontend's half of the protocol (PostgreSQL documentation, "Message Formats") and passes everything on as it came.
 */
export type DatabaseProxy = {
  /** The folder of the socket to connect to. */
  readonly folder: string;
  /** Since `reset`, without heartbeats: one entry for each time that the client had to wait for the server. */
  readonly roundTrips: () => readonly RoundTrip[];
  readonly reset: () => void;
  /** Ends all connections and takes no new ones, as a database that is down. */
  readonly cut: () => void;
  readonly mend: () => void;
  /** Calls back as soon as a statement with this text is on its way to the server, once. */
  readonly onceSent: (text: string, then: () => void) => void;
  readonly close: () => Promise<void>;
};

/** `messages`: the types of what was sent, `PDH` for parse and describe, `BES` for bind, execute and sync. */
export type RoundTrip = { readonly messages: string; readonly statement: string };

const endsRoundTrip = new Set(['S', 'H', 'Q']);
const socketName = '.s.PGSQL.5432';

export async function startDatabaseProxy(target: { readonly folder: string }): Promise<DatabaseProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'limen-proxy-'));
  const path = join(folder, socketName);
  const pairs = new Set<readonly [Socket, Socket]>();
  const watches = new Map<string, () => void>();
  let trips: RoundTrip[] = [];
  let isCut = false;
  const note = (trip: RoundTrip): void => {
    if (!trip.statement.includes('INSERT INTO processes')) trips.push(trip);
    for (const [text, then] of watches) {
      if (!trip.statement.includes(text)) continue;
      watches.delete(text);
      then();
    }
  };
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const database = createConnection(join(target.folder, socketName));
    const pair = [client, database] as const;
    pairs.add(pair);
    const read = frontendReader(note);
    client.on('data', (bytes) => {
      database.write(bytes);
      read(Buffer.from(bytes));
    });
    database.on('data', (bytes) => client.write(bytes));
    for (const [one, other] of [pair, [database, client] as const]) {
      one.on('error', () => {});
      one.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const cut = (): void => {
    isCut = true;
    for (const [client, database] of pairs) {
      client.destroy();
      database.destroy();
    }
  };
  return {
    folder,
    roundTrips: () => trips,
    reset: () => {
      trips = [];
    },
    cut,
    mend: () => {
      isCut = false;
    },
    onceSent: (text, then) => void watches.set(text, then),
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Reads one connection's messages and tells of each round trip. */
function frontendReader(note: (trip: RoundTrip) => void): (bytes: Buffer) => void {
  const statements = new Map<string, string>();
  let waiting = Buffer.alloc(0);
  let isStarted = false;
  let messages = '';
  let statement = '';
  const take = (length: number): Buffer => {
    const taken = waiting.subarray(0, length);
    waiting = waiting.subarray(length);
    return taken;
  };
  const textsOf = (body: Buffer): readonly string[] => body.toString('utf8').split('\0');
  const handle = (type: string, body: Buffer): void => {
    messages += type;
    const [first = '', second = ''] = textsOf(body);
    if (type === 'P') statements.set(first, second);
    if (type === 'P') statement = second;
    if (type === 'B') statement = statements.get(second) ?? '';
    if (type === 'Q') statement = first;
    if (!endsRoundTrip.has(type)) return;
    note({ messages, statement });
    messages = '';
  };
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    // The first message has no type.
    if (!isStarted && waiting.length >= 4 && waiting.length >= waiting.readUInt32BE(0)) {
      take(waiting.readUInt32BE(0));
      isStarted = true;
    }
    while (isStarted && waiting.length >= 5 && waiting.length > waiting.readUInt32BE(1)) {
      const type = String.fromCharCode(waiting[0] ?? 0);
      handle(type, take(1 + waiting.readUInt32BE(1)).subarray(5));
    }
  };
}
