/** What a promise was rejected with; a promise that was not is a failure. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const settled = await promise.then(
    (value) => ({ value }),
    (thrown: unknown) => ({ thrown }),
  );
  if ('thrown' in settled) return settled.thrown;
  throw new Error(`expected a refusal, got ${JSON.stringify(settled.value)}`);
}
