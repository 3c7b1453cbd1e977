import { describe, expect, test } from 'bun:test';
import { clientKeysPort } from '../src/app_outbound.ts';
import type { KeyOwner } from '../src/oidc/client_keys.ts';
import type { GetOptions, Outbound } from '../src/workers/outbound/outbound.ts';
import { start } from './oidc/parties.ts';

/** A door that gives the same key set for every URL, padded to this size, and writes down what goes through. */
function doorTo(kid: string, padding = 0) {
  const asked: { readonly url: string; readonly options: GetOptions }[] = [];
  const body = Buffer.from(JSON.stringify({ keys: [{ kty: 'EC', kid }], padding: 'x'.repeat(padding) }));
  const outbound: Outbound = {
    async get(url, options) {
      asked.push({ url, options });
      return { kind: 'answered', status: 200, headers: new Map(), body, url };
    },
    post: () => Promise.reject(new Error('nothing is posted here')),
  };
  return { outbound, asked };
}

const url = 'https://keys.example/jwks';
const registered: KeyOwner = { jwks: null, metadata: { jwks_uri: url } };
const selfRegistered: KeyOwner = { ...registered, introduced: { resources: [], host: null } };
const described = (jwks_uri = url): KeyOwner => ({
  jwks: null,
  metadata: { jwks_uri },
  introduced: { resources: [], host: 'agent.example' },
});

describe('keys of a client that a metadata document describes', () => {
  const open = (padding = 0) => {
    const [door, documentDoor] = [doorTo('registered'), doorTo('described', padding)];
    const state = { now: start };
    const keys = clientKeysPort(door.outbound, documentDoor.outbound, () => state.now);
    return { keys, door, documentDoor, state };
  };
  const kidOf = (set: Awaited<ReturnType<ReturnType<typeof open>['keys']['current']>>) => set?.keys[0]?.kid;

  test('go through the door of such documents, with a limit of their own; all others through the shared one', async () => {
    const { keys, door, documentDoor, state } = open();
    expect(kidOf(await keys.current(described()))).toBe('described');
    expect(door.asked).toEqual([]);
    expect(kidOf(await keys.current(registered))).toBe('registered');
    expect(kidOf(await keys.current(selfRegistered))).toBe('registered');
    state.now += 10_000;
    expect(kidOf(await keys.renewed(described()))).toBe('described');
    expect(door.asked.map(({ options }) => options.bodyBytes)).toEqual([undefined]);
    expect(documentDoor.asked.map(({ options }) => options.bodyBytes)).toEqual([32 * 1024, 32 * 1024]);
  });

  test('push out none of the others, however many there are', async () => {
    const { keys, door, documentDoor } = open(30_000);
    await keys.current(registered);
    for (let index = 0; index < 2500; index += 1) await keys.current(described(`https://keys-${index}.example/`));
    expect(documentDoor.asked).toHaveLength(2500);
    expect(kidOf(await keys.current(registered))).toBe('registered');
    expect(door.asked).toHaveLength(1);
  });
});
