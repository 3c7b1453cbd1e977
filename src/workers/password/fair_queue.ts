/** Lines of people who wait, one for each place they come from; no line is served twice before the others had their turn. */
export class FairQueue<Waiting> {
  /** In the order of service: a line that was served goes to the end. */
  readonly #lines = new Map<string, Waiting[]>();

  waitingOf(place: string): number {
    return this.#lines.get(place)?.length ?? 0;
  }

  /** `isFirst`: before everybody of the same place, never before others. */
  add(place: string, waiting: Waiting, isFirst: boolean): void {
    const line = this.#lines.get(place) ?? [];
    if (isFirst) line.unshift(waiting);
    else line.push(waiting);
    this.#lines.set(place, line);
  }

  remove(place: string, waiting: Waiting): void {
    const left = (this.#lines.get(place) ?? []).filter((other) => other !== waiting);
    if (left.length === 0) this.#lines.delete(place);
    else this.#lines.set(place, left);
  }

  /** Takes from the place that has waited longest for its turn. */
  next(): Waiting | null {
    for (const [place, line] of this.#lines) {
      const waiting = line.shift();
      this.served(place);
      if (waiting !== undefined) return waiting;
    }
    return null;
  }

  /** The place had a turn: all others that wait come before it. */
  served(place: string): void {
    const line = this.#lines.get(place) ?? [];
    this.#lines.delete(place);
    if (line.length > 0) this.#lines.set(place, line);
  }

  /** Takes the newest of the longest line, if that line is longer than `length`. */
  newestOfLongerThan(length: number): Waiting | null {
    const [longest] = [...this.#lines].toSorted(([, left], [, right]) => right.length - left.length);
    if (longest === undefined || longest[1].length <= length) return null;
    const [place, line] = longest;
    const newest = line.pop();
    if (line.length === 0) this.#lines.delete(place);
    return newest ?? null;
  }
}
