/**
 * The queue before the hash. A bounded number of attempts is admitted; of these as many have their turn as there are
 * children. One that is sent back to wait for a verdict comes before those that have not been reserved yet.
 */
export class Admission {
  readonly #turns: number;
  readonly #places: number;
  #admitted = 0;
  #taken = 0;
  #queue: ((granted: boolean) => void)[] = [];

  constructor(bounds: { readonly turns: number; readonly waiting: number }) {
    this.#turns = bounds.turns;
    this.#places = bounds.turns + bounds.waiting;
  }

  /** null: full. Whoever is admitted must `leave`. */
  admit(): Ticket | null {
    if (this.#admitted >= this.#places) return null;
    this.#admitted += 1;
    return new Ticket({
      take: (signal, isReturning) => this.#take(signal, isReturning),
      giveBack: () => this.#giveBack(),
      leave: () => {
        this.#admitted -= 1;
      },
    });
  }

  #take(signal: AbortSignal, isReturning: boolean): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#taken < this.#turns) {
      this.#taken += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (granted: boolean): void => {
        signal.removeEventListener('abort', abort);
        resolve(granted);
      };
      const abort = (): void => {
        this.#queue = this.#queue.filter((waiting) => waiting !== settle);
        settle(false);
      };
      signal.addEventListener('abort', abort, { once: true });
      if (isReturning) this.#queue.unshift(settle);
      else this.#queue.push(settle);
    });
  }

  #giveBack(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#taken -= 1;
    else next(true);
  }
}

type Door = {
  readonly take: (signal: AbortSignal, isReturning: boolean) => Promise<boolean>;
  readonly giveBack: () => void;
  readonly leave: () => void;
};

/** A place in the queue, and the turn while it lasts. Giving back and leaving twice do nothing. */
export class Ticket {
  readonly #door: Door;
  #hadTurn = false;
  #hasTurn = false;
  #left = false;
  #asking: Promise<boolean> | null = null;

  constructor(door: Door) {
    this.#door = door;
  }

  get hasTurn(): boolean {
    return this.#hasTurn;
  }

  /** Waits for a turn; false: the signal came first. Asked twice, it waits for the same one. */
  async turn(signal: AbortSignal): Promise<boolean> {
    if (this.#hasTurn) return true;
    this.#asking ??= this.#ask(signal);
    return this.#asking;
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
    this.#hasTurn = await this.#door.take(signal, this.#hadTurn);
    this.#hadTurn ||= this.#hasTurn;
    this.#asking = null;
    return this.#hasTurn;
  }

  giveBack(): void {
    if (!this.#hasTurn) return;
    this.#hasTurn = false;
    this.#door.giveBack();
  }

  leave(): void {
    this.giveBack();
    if (this.#left) return;
    this.#left = true;
    this.#door.leave();
  }
}
