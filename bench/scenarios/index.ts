import type { Outcome } from '../findings.ts';
import type { Bench } from '../sides.ts';
import { memory, start } from './footprint.ts';
import { growth } from './growth.ts';
import { halfRate, signInBurst } from './latency.ts';
import { authorizationCode, clientCredentials, refresh } from './rates.ts';

export type ScenarioOptions = {
  /** Of one measurement. */
  readonly seconds: number;
  /** Measurements of each side. */
  readonly rounds: number;
  /** Token responses before memory is read. */
  readonly tokens: number;
  readonly progress: (sentence: string) => void;
};

export type Scenario = {
  readonly name: string;
  readonly run: (bench: Bench, options: ScenarioOptions) => Promise<Outcome>;
};

/** In this order. Each gets a database, parties and servers of its own. */
export const scenarios: readonly Scenario[] = [
  clientCredentials,
  refresh,
  authorizationCode,
  halfRate,
  signInBurst,
  growth,
  start,
  memory,
];
