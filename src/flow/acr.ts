import type { Evidence } from './run.ts';

/**
 * Authentication context classes (OIDC Core §2 `acr`), weakest first: a value means what its methods say and no more.
 * Discovery's `acr_values_supported` is this table.
 */
type Row = { readonly value: string; readonly methods: readonly [string, ...string[]] };

const classes: readonly Row[] = [{ value: 'urn:limen:acr:password', methods: ['pwd'] }];

export const acrValuesSupported: readonly string[] = classes.map(({ value }) => value);

/** Whether the evidence holds every method that the class needs; an unknown class is never satisfied. */
export function satisfiesAcr(value: string, evidence: readonly Evidence[]): boolean {
  const row = classes.find((candidate) => candidate.value === value);
  return row?.methods.every((needed) => evidence.some(({ method }) => method === needed)) ?? false;
}

/**
 * The class to report: the first of `wanted` (best first) that the evidence satisfies, else the strongest that it
 * satisfies, else null.
 */
export function acrOf(evidence: readonly Evidence[], wanted: readonly string[] = []): string | null {
  const strongestFirst = acrValuesSupported.toReversed();
  return [...wanted, ...strongestFirst].find((value) => satisfiesAcr(value, evidence)) ?? null;
}
