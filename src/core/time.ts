/** Milliseconds since the epoch. Rules take it as an argument; only the composition root owns a clock. */
export type Instant = number;

export type Clock = () => Instant;

/** The only reading of the process clock in `src/`. It dates tokens; the database's clock guards state. */
export const systemClock: Clock = () => Date.now();

/** NumericDate of RFC 7519 §2. */
export const toNumericDate = (instant: Instant): number => Math.floor(instant / 1000);
