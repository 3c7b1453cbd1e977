import type { Instant } from '../../../src/core/time.ts';
import { second } from '../parties.ts';

/**
 * What refresh tokens may do, told once more without hashes, rows and statements: a tree of tokens. Each heir is named by
 * its parent and the ring entry that made it; the database holds one token of the tree as the family's current one.
 */
export type Token = { readonly parent: Token | null; readonly generation: number; readonly madeWith: number | null };

/** A token in someone's hands, as it is written: under the ring entry that tagged it. */
export type Written = { readonly token: Token; readonly taggedWith: number };

export type Policy = {
  readonly rotates: boolean;
  /** null: the parent may come at any time. */
  readonly leewaySeconds: number | null;
  readonly idleSeconds: number;
  readonly endsAt: Instant;
};

export type Expected =
  | { readonly answer: 'token'; readonly token: Token; readonly event: 'token.recovered' | null }
  | {
      readonly answer: 'refused';
      readonly asksDatabase: boolean;
      readonly event: 'token.reuse' | 'token.mismatch' | null;
    };

const mostLostGenerations = 8;

export class RefreshModel {
  readonly #heirs = new Map<Token, Map<number, Token>>();
  readonly #policy: Policy;
  readonly #overwritten: { readonly current: Token; readonly usedAt: Instant }[] = [];
  current: Token = { parent: null, generation: 0, madeWith: null };
  now: Instant;
  usedAt: Instant;
  ended = false;
  /** Newest first. */
  ring: readonly number[] = [1];

  constructor(policy: Policy, now: Instant) {
    this.#policy = policy;
    this.now = now;
    this.usedAt = now;
  }

  present({ token, taggedWith }: Written): Expected {
    if (!this.ring.includes(taggedWith)) return { answer: 'refused', asksDatabase: false, event: null };
    if (!this.#lives()) return { answer: 'refused', asksDatabase: true, event: null };
    if (token === this.current) return { answer: 'token', token: this.#use(token), event: null };
    const gap = this.current.generation - token.generation;
    if (gap > 1) return this.#reuse();
    if (gap === 1) {
      if (this.current.parent !== token || !this.#holds(this.current)) return mismatch;
      return this.#withinLeeway() ? { answer: 'token', token: this.current, event: null } : this.#reuse();
    }
    if (gap === 0 || !this.#descends(token)) return mismatch;
    return { answer: 'token', token: this.#use(token), event: 'token.recovered' };
  }

  loseCommits(count: number): void {
    const before = this.#overwritten.splice(-count)[0];
    if (before === undefined) return;
    this.current = before.current;
    this.usedAt = before.usedAt;
  }

  end(): void {
    this.ended = true;
    this.#overwritten.length = 0;
  }

  #use(token: Token): Token {
    this.#overwritten.push({ current: this.current, usedAt: this.usedAt });
    this.current = this.#policy.rotates ? this.#heir(token) : token;
    this.usedAt = this.now;
    return this.current;
  }

  #heir(parent: Token): Token {
    const key = this.ring[0] ?? 0;
    const heirs = this.#heirs.get(parent) ?? new Map<number, Token>();
    const heir = heirs.get(key) ?? { parent, generation: parent.generation + 1, madeWith: key };
    this.#heirs.set(parent, heirs.set(key, heir));
    return heir;
  }

  #lives(): boolean {
    const idleAt = this.usedAt + this.#policy.idleSeconds * second;
    return !this.ended && this.now < idleAt && this.now < this.#policy.endsAt;
  }

  #withinLeeway(): boolean {
    const { leewaySeconds } = this.#policy;
    return leewaySeconds === null || this.now - this.usedAt <= leewaySeconds * second;
  }

  #holds({ madeWith }: Token): boolean {
    return madeWith === null || this.ring.includes(madeWith);
  }

  #descends(token: Token): boolean {
    let ancestor: Token = token;
    for (let step = 1; step <= mostLostGenerations; step += 1) {
      if (!this.#holds(ancestor) || ancestor.parent === null) return false;
      ancestor = ancestor.parent;
      if (ancestor === this.current) return true;
    }
    return false;
  }

  #reuse(): Expected {
    this.end();
    return { answer: 'refused', asksDatabase: true, event: 'token.reuse' };
  }
}

const mismatch: Expected = { answer: 'refused', asksDatabase: true, event: 'token.mismatch' };
