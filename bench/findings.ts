/** What a scenario comes to: values against their bars, and what they were computed from. */
import type { Measurement } from './load/wrk.ts';

export type Bar = { readonly kind: 'at least' | 'at most'; readonly value: number };

export type Finding = {
  readonly what: string;
  /** A peer or a limit. */
  readonly against: string;
  /** Of Limen, for a person to read. */
  readonly measured: string;
  /** Of what stands against it; empty where that is a limit. */
  readonly reference: string;
  readonly value: number;
  readonly unit: '×' | 'ms' | 'MB' | '%';
  /** null: shown for comparison. */
  readonly bar: Bar | null;
};

/** One side of one scenario: the medians over its rounds. */
export type Rates = {
  readonly scenario: string;
  readonly side: string;
  readonly rounds: readonly Measurement[];
};

export type Outcome = { readonly findings: readonly Finding[]; readonly rates: readonly Rates[] };

export const isReached = ({ value, bar }: Finding): boolean | null => {
  if (bar === null) return null;
  return bar.kind === 'at least' ? value >= bar.value : value <= bar.value;
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

export const medianOf = (rounds: readonly Measurement[], read: (round: Measurement) => number): number =>
  median(rounds.map(read));

export const perSecond = ({ rounds }: Rates): number => medianOf(rounds, (round) => round.perSecond);

/** `5,210/s (4,900–5,400)`: median and spread. */
export function describeRate(rates: Rates): string {
  const all = rates.rounds.map((round) => round.perSecond);
  return `${whole(perSecond(rates))}/s (${whole(Math.min(...all))}–${whole(Math.max(...all))})`;
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

export function describeValue({ value, unit }: Pick<Finding, 'value' | 'unit'>): string {
  return unit === '×' ? `${value.toFixed(2)}×` : `${whole(value)} ${unit}`;
}

export const describeBar = ({ bar, unit }: Pick<Finding, 'bar' | 'unit'>): string =>
  bar === null ? '' : `${bar.kind} ${bar.value}${unit === '×' ? '×' : ` ${unit}`}`;
