import { FairQueue } from './fair_queue.ts';

type Settle = (granted: boolean) => void;

/**
 * The queue before the hash. A bounded number of attempts is admitted; of these as many have their turn as there are
 * children. Turns go round the places that attempts come from, so that one with many waiting delays another by one hash
 * for each turn and no more. An attempt that is sent back to wait for a verdict comes before the others of its place.
 */
export class Admission {
  readonly #turns: number;
  readonly #places: number;
  #admitted = 0;
  #taken = 0;
  readonly #queue = new FairQueue<Settle>();

  constructor(bounds: { readonly turns: number; readonly waiting: number }) {
    this.#turns = bounds.turns;
    this.#places = bounds.turns + bounds.waiting;
  }

  /**
   * null: full. Whoever is admitted must `leave`. A full queue makes room where the place has fewer waiting than the
   * fullest one, whose newest is sent away: or a handful of places could keep everybody out.
   */
  admit(place: string): Ticket | null {
    if (this.#admitted >= this.#places && !this.#makeRoom(place)) return null;
    this.#admitted += 1;
    return new Ticket({
      take: (signal, isReturning) => this.#take(place, signal, isReturning),
      giveBack: () => this.#giveBack(place),
      leave: () => {
        this.#admitted -= 1;
      },
    });
  }

  /** Whoever is sent away leaves as soon as it hears of it. */
  #makeRoom(place: string): boolean {
    const sentAway = this.#queue.newestOfLongerThan(this.#queue.waitingOf(place) + 1);
    sentAway?.(false);
    return sentAway !== null;
  }

  #take(place: string, signal: AbortSignal, isReturning: boolean): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#taken < this.#turns) {
      this.#taken += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle: Settle = (granted) => {
        signal.removeEventListener('abort', abort);
        resolve(granted);
      };
      const abort = (): void => {
        this.#queue.remove(place, settle);
        settle(false);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#queue.add(place, settle, isReturning);
    });
  }

  #giveBack(place: string): void {
    // A turn that was free when it was asked for counts as one of the place, too.
    this.#queue.served(place);
    const next = this.#queue.next();
    if (next === null) this.#taken -= 1;
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
