import { randomId } from '../core/crypto.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { open, seal } from '../core/seal.ts';

/** Where a sealed value stands: moved to another row or column it no longer opens. */
export type ColumnPlace = { readonly table: string; readonly row: string; readonly column: string };

/** The ring lacks the key that sealed a column: an operator's fault, told by place and never by value. */
export class SealedColumnFault extends Error {
  readonly reason: 'malformed' | 'unknown_key';

  constructor(reason: 'malformed' | 'unknown_key', place: ColumnPlace) {
    const why = reason === 'unknown_key' ? 'is sealed with a secret that LIMEN_SECRETS lacks' : 'cannot be opened';
    super(`${scopeOf(place)} ${why}`);
    this.name = 'SealedColumnFault';
    this.reason = reason;
  }
}

const scopeOf = ({ table, row, column }: ColumnPlace): string => `${table}:${row}:${column}`;

export const sealColumn = (ring: KeyRing, place: ColumnPlace, plaintext: string): string =>
  seal(ring, 'column', scopeOf(place), { objectId: randomId(), plaintext });

/** The plaintext; throws a `SealedColumnFault` where it cannot be had. */
export function openColumn(ring: KeyRing, place: ColumnPlace, sealed: string): string {
  const opened = open(ring, 'column', scopeOf(place), sealed);
  if (typeof opened === 'string') throw new SealedColumnFault(opened, place);
  return opened.plaintext.toString('utf8');
}
