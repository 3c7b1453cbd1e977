/**
 * RFC 9110 §12.5.1: whether `Accept` asks for a media type by its name. Wildcards do not ask for it, so that whoever takes
 * anything gets what everyone gets; where `other` is named with a higher weight, that is preferred.
 */
export function prefers(accept: string | null, wanted: string, other: string): boolean {
  const weights = new Map((accept ?? '').split(',').map(readRange));
  const weight = weights.get(wanted) ?? 0;
  return weight > 0 && weight >= (weights.get(other) ?? 0);
}

/** A media range and its weight; a weight that is none counts as zero. */
function readRange(range: string): readonly [type: string, weight: number] {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
  return [type, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0];
}
