import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { newId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { open, type Sealed, type SealPurpose, seal } from '../../src/core/seal.ts';
import { Secret } from '../../src/core/secret.ts';

const ringOf = (...fills: readonly number[]): KeyRing =>
  new KeyRing(fills.map((fill) => new Secret(Buffer.alloc(32, fill))));
const ring = ringOf(1);
const purposes: readonly SealPurpose[] = ['authorization code', 'access token', 'run', 'column', 'notice'];

const objects = fc.record({
  objectId: fc.uuid(),
  plaintext: fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array()),
});
const scopes = fc.string({ maxLength: 20 });
const flip = (sealed: string, at: number, mask: number): string => {
  const bytes = Buffer.from(sealed, 'base64url');
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  return bytes.toString('base64url');
};

function opened(sealed: string, scope: string, keys: KeyRing = ring): Sealed {
  const result = open(keys, 'run', scope, sealed);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('what is sealed', () => {
  test('property: opens to the same object, under any entry of the ring', () => {
    fc.assert(
      fc.property(objects, scopes, (object, scope) => {
        const { objectId, plaintext } = opened(seal(ringOf(2), 'run', scope, object), scope, ringOf(3, 2, 1));
        expect(objectId).toBe(object.objectId);
        expect(plaintext).toEqual(Buffer.from(object.plaintext));
      }),
    );
  });

  test('property: with any one bit changed it opens nothing; only in the key id does it look like an outage', () => {
    fc.assert(
      fc.property(objects, scopes, fc.nat(), fc.integer({ min: 0, max: 7 }), (object, scope, place, bit) => {
        const sealed = seal(ring, 'run', scope, object);
        const at = place % Buffer.from(sealed, 'base64url').length;
        const inKeyId = at >= 1 && at < 5;
        expect(open(ring, 'run', scope, flip(sealed, at, 1 << bit))).toBe(inKeyId ? 'unknown_key' : 'malformed');
      }),
      { numRuns: 400 },
    );
  });

  test('property: shortened or lengthened it opens nothing', () => {
    fc.assert(
      fc.property(objects, fc.nat(), fc.constantFrom('A', 'AA', 'AAAA', '='), (object, length, more) => {
        const sealed = seal(ring, 'run', 'scope', object);
        expect(typeof open(ring, 'run', 'scope', sealed.slice(0, length % sealed.length))).toBe('string');
        expect(open(ring, 'run', 'scope', sealed + more)).toBe('malformed');
      }),
    );
  });

  test('property: for another scope or purpose it is malformed', () => {
    fc.assert(
      fc.property(
        objects,
        scopes,
        scopes,
        fc.constantFrom(...purposes),
        fc.constantFrom(...purposes),
        (object, scope, other, purpose, another) => {
          const sealed = seal(ring, purpose, scope, object);
          const same = scope === other && purpose === another;
          expect(open(ring, another, other, sealed) === 'malformed').toBe(!same);
        },
      ),
    );
  });

  test('purpose and scope cannot run into each other', () => {
    const sealed = seal(ring, 'run', 'a', { objectId: newId(), plaintext: 'x' });
    for (const scope of ['a\n', '\na', 'run\na', 'A', '']) expect(open(ring, 'run', scope, sealed)).toBe('malformed');
  });

  test('under a key that is gone: unknown_key, which is an outage and never an attack', () => {
    expect(open(ringOf(2), 'run', 's', seal(ring, 'run', 's', { objectId: newId(), plaintext: 'x' }))).toBe(
      'unknown_key',
    );
  });

  test('property: any text opens nothing and never throws', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    );
    fc.assert(
      fc.property(texts, (text) => expect(open(ring, 'run', 's', text)).toBeOneOf(['malformed', 'unknown_key'])),
    );
  });
});

describe('sealing again', () => {
  test('property: the same object gives the same text, so that a repeat gets the same redirect', () => {
    fc.assert(
      fc.property(objects, scopes, (object, scope) => {
        expect(seal(ring, 'run', scope, object)).toBe(
          seal(ring, 'run', scope, { ...object, plaintext: Buffer.from(object.plaintext) }),
        );
      }),
    );
  });

  test('property: another plaintext under the same object id never has the same nonce', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), fc.string(), (objectId, one, other) => {
        fc.pre(one !== other);
        const nonceOf = (plaintext: string) =>
          Buffer.from(seal(ring, 'run', 's', { objectId, plaintext }), 'base64url').toString('hex', 21, 33);
        expect(nonceOf(one)).not.toBe(nonceOf(other));
      }),
    );
  });

  test('property: the same plaintext in another object, purpose or ring shows nothing in common but its length', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.string({ minLength: 8 }), (objectId, other, plaintext) => {
        fc.pre(objectId !== other);
        const body = (keys: KeyRing, purpose: SealPurpose, id: string) =>
          Buffer.from(seal(keys, purpose, 's', { objectId: id, plaintext }), 'base64url').toString('hex', 33);
        const bodies = [
          body(ring, 'run', objectId),
          body(ring, 'run', other),
          body(ring, 'notice', objectId),
          body(ringOf(2), 'run', objectId),
        ];
        expect(new Set(bodies).size).toBe(4);
        expect(new Set(bodies.map(({ length }) => length)).size).toBe(1);
      }),
    );
  });
});
