import type { Instant } from '../core/time.ts';

/** Half-open: from ≤ instant < to. */
export type Range = { readonly from: Instant; readonly to: Instant };

/**
 * The ranges to create so that every instant of `span` falls into exactly one: aligned to the width since the epoch, cut
 * where existing ones stand. Existing ranges may have another width, from an earlier release.
 */
export function missingRanges(existing: readonly Range[], span: Range, widthMilliseconds: number): readonly Range[] {
  const sorted = [...existing].sort((left, right) => left.from - right.from);
  const missing: Range[] = [];
  let cursor = alignDown(span.from, widthMilliseconds);
  while (cursor < span.to) {
    const at = cursor;
    const covering = sorted.find((range) => range.from <= at && at < range.to);
    if (covering !== undefined) {
      cursor = covering.to;
      continue;
    }
    const next = sorted.find((range) => range.from > at);
    const to = Math.min(alignDown(at, widthMilliseconds) + widthMilliseconds, next?.from ?? Number.POSITIVE_INFINITY);
    missing.push({ from: at, to });
    cursor = to;
  }
  return missing;
}

/** The first instant at or after `from` that no range covers. */
export function coveredUntil(existing: readonly Range[], from: Instant): Instant {
  const sorted = [...existing].sort((left, right) => left.from - right.from);
  return sorted.reduce((cursor, range) => (range.from <= cursor && cursor < range.to ? range.to : cursor), from);
}

const alignDown = (instant: Instant, widthMilliseconds: number): Instant =>
  Math.floor(instant / widthMilliseconds) * widthMilliseconds;
