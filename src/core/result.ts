/** Expected failures are values: a function that can refuse returns a `Result`, a bug throws. */
export type Result<Value, Failure> = Ok<Value> | Err<Failure>;
export type Ok<Value> = { readonly ok: true; readonly value: Value };
export type Err<Failure> = { readonly ok: false; readonly error: Failure };

export const ok = <Value>(value: Value): Ok<Value> => ({ ok: true, value });
export const err = <Failure>(error: Failure): Err<Failure> => ({ ok: false, error });

/** Throws where a state was thought impossible: a bug, which ends as an opaque 500 with an error id. */
export function unreachable(what: string): never {
  throw new Error(`unreachable: ${what}`);
}
