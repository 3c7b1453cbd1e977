/** What goes between the serving process and a hashing child, over their private channel, one job at a time. */
export type Job =
  | { readonly kind: 'verify'; readonly password: string; readonly hash: string }
  | { readonly kind: 'hash'; readonly password: string };

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'verified'; readonly matches: boolean }
  | { readonly kind: 'hashed'; readonly hash: string }
  /** A stored hash that cannot be read, or a password that cannot be hashed. Says nothing of either. */
  | { readonly kind: 'failed' };

export function readJob(message: unknown): Job | null {
  const { kind, password, hash } = membersOf(message);
  if (typeof password !== 'string') return null;
  if (kind === 'hash') return { kind, password };
  return kind === 'verify' && typeof hash === 'string' ? { kind, password, hash } : null;
}

export function readAnswer(message: unknown): Answer | null {
  const { kind, matches, hash } = membersOf(message);
  if (kind === 'ready' || kind === 'failed') return { kind };
  if (kind === 'verified' && typeof matches === 'boolean') return { kind, matches };
  return kind === 'hashed' && typeof hash === 'string' ? { kind, hash } : null;
}

const membersOf = (message: unknown): { readonly [name: string]: unknown } =>
  typeof message === 'object' && message !== null ? { ...message } : {};
