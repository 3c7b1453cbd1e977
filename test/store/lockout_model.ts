import type { LockoutAttempt, Reservation, SettledFailure } from '../../src/core/lockout.ts';

/** What `store/lockout.ts` must do, said as plainly as possible: one attempt after the other, no database. */
export class LockoutModel {
  now: number;
  readonly #rows = new Map<string, Row>();
  #ceilings: { key: string; endsAt: number; failures: number }[] = [];

  constructor(now: number) {
    this.now = now;
  }

  reserve(attempt: LockoutAttempt): Reservation {
    for (const { key, of, limit, windowSeconds } of attempt.alsoIn === null ? attempt.ceilings : []) {
      const endsAt = this.#windowEnd(windowSeconds);
      const counted = this.#ceilings.find((ceiling) => ceiling.key === key && ceiling.endsAt === endsAt);
      if ((counted?.failures ?? 0) >= limit) {
        return { kind: 'ceiling', of, key, remainingMilliseconds: endsAt - this.now };
      }
    }
    const row = this.#row(attempt);
    if (row.lockedUntil !== null && row.lockedUntil > this.now) {
      return { kind: 'locked', remainingMilliseconds: row.lockedUntil - this.now };
    }
    const live = [...row.inFlight.values()].filter((voidAt) => voidAt > this.now).length;
    if (this.#recent(row, attempt).length + live >= attempt.policy.threshold) return { kind: 'wait' };
    row.inFlight.set(attempt.id, this.now + attempt.lifetimeMilliseconds);
    return { kind: 'reserved' };
  }

  fail(attempt: LockoutAttempt): SettledFailure {
    if (!this.#end(attempt)) return { kind: 'void' };
    for (const { key, windowSeconds } of attempt.ceilings) this.#countCeiling(key, this.#windowEnd(windowSeconds));
    if (attempt.alsoIn !== null) {
      const place = this.#rowOf(attempt.alsoIn);
      if ((place.lockedUntil ?? 0) <= this.now) this.#count(place, attempt);
    }
    const locks = this.#count(this.#row(attempt), attempt);
    return { kind: 'counted', lockedMilliseconds: locks ? attempt.policy.durationSeconds * 1000 : null };
  }

  /** Whether it was the last one allowed. */
  #count(row: Row, attempt: LockoutAttempt): boolean {
    row.failures = [...this.#recent(row, attempt), this.now];
    if (row.failures.length < attempt.policy.threshold) return false;
    row.failures = [];
    row.lockedUntil = this.now + attempt.policy.durationSeconds * 1000;
    return true;
  }

  succeed(attempt: LockoutAttempt): 'settled' | 'void' {
    if (!this.#end(attempt)) return 'void';
    this.#row(attempt).failures = [];
    return 'settled';
  }

  release(attempt: LockoutAttempt): void {
    this.#row(attempt).inFlight.delete(attempt.id);
  }

  unlock(subject: string): number {
    const rows = [...this.#rows.values()];
    const locked = rows.filter(({ lockedUntil }) => lockedUntil !== null && lockedUntil > this.now).length;
    for (const row of rows) {
      row.failures = [];
      row.lockedUntil = null;
    }
    this.#ceilings = this.#ceilings.filter((ceiling) => ceiling.key !== subject);
    return locked;
  }

  /** Whether the attempt was still live; it is not any more. */
  #end(attempt: LockoutAttempt): boolean {
    const { inFlight } = this.#row(attempt);
    const isLive = (inFlight.get(attempt.id) ?? 0) > this.now;
    if (isLive) inFlight.delete(attempt.id);
    return isLive;
  }

  #recent(row: Row, { policy }: LockoutAttempt): number[] {
    return row.failures.filter((at) => at > this.now - policy.windowSeconds * 1000);
  }

  #windowEnd(windowSeconds: number): number {
    return (Math.floor(this.now / (windowSeconds * 1000)) + 1) * windowSeconds * 1000;
  }

  #countCeiling(key: string, endsAt: number): void {
    const counted = this.#ceilings.find((ceiling) => ceiling.key === key && ceiling.endsAt === endsAt);
    if (counted === undefined) this.#ceilings.push({ key, endsAt, failures: 1 });
    else counted.failures += 1;
  }

  #row({ key }: LockoutAttempt): Row {
    return this.#rowOf(key.context);
  }

  #rowOf(context: string): Row {
    const row = this.#rows.get(context) ?? { failures: [], inFlight: new Map(), lockedUntil: null };
    this.#rows.set(context, row);
    return row;
  }
}

type Row = { failures: number[]; inFlight: Map<string, number>; lockedUntil: number | null };
