/** Rank statistics of two samples, for comparing times: no unit, no threshold in milliseconds, deaf to outliers. */

/**
 * How often a value of the first sample is greater than one of the second, ties by half: 0.5 where both come from one
 * distribution (Mann and Whitney's U, divided by the number of pairs).
 */
export function chanceOfGreater(left: readonly number[], right: readonly number[]): number {
  const wins = left.flatMap((a) => right.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
}

/** The standard deviation of that chance where both samples come from one distribution. */
export const deviationOfChance = (left: number, right: number): number =>
  Math.sqrt((left + right + 1) / (12 * left * right));
