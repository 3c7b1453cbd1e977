/** How a module ends, in the words of the official suite. */
export const results = ['PASSED', 'REVIEW', 'SKIPPED', 'WARNING', 'FAILED'] as const;
export type Result = (typeof results)[number];

export type Outcome = {
  readonly result: Result;
  /** Why, where it is not PASSED: warnings, what a person has to look at, the reason of a skip, the first failure. */
  readonly notes: readonly string[];
};

/** The provider did not do what the module asserts. */
export class Failure extends Error {}

/** The module does not apply to what the provider offers, as the official module would find too. */
export class Skip extends Error {}

export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Failure(otherwise);
}

export function skipIf(holds: boolean, reason: string): void {
  if (holds) throw new Skip(reason);
}

/** What a module notes beside its success. */
export type Notes = { readonly warnings: string[]; readonly reviews: string[] };

/** The worse of what a finished module noted decides: an unfilled image placeholder outlives no warning. */
export async function outcomeOf(notes: Notes, run: () => Promise<void>): Promise<Outcome> {
  try {
    await run();
  } catch (thrown) {
    const sentence = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof Skip) return { result: 'SKIPPED', notes: [sentence, ...notes.warnings] };
    return { result: 'FAILED', notes: [thrown instanceof Failure ? sentence : `the module broke: ${sentence}`] };
  }
  if (notes.warnings.length > 0) return { result: 'WARNING', notes: notes.warnings };
  if (notes.reviews.length > 0) return { result: 'REVIEW', notes: notes.reviews };
  return { result: 'PASSED', notes: [] };
}
