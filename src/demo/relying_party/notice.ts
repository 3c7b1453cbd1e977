import type { ProviderFault } from './provider_fault.ts';

/** One refresh token shown to the provider, and what came back. */
export type Presentation = {
  readonly generation: number;
  readonly fingerprint: string;
  readonly answer:
    | { readonly accepted: true; readonly outcome: 'rotated' | 'same'; readonly generation: number }
    | { readonly accepted: false; readonly fault: ProviderFault };
};

/** What a button did, as data; `pages/notice.ts` finds the words. */
export type Notice =
  | {
      readonly name: 'refreshed' | 'replayed_parent' | 'replayed_oldest';
      readonly presentations: readonly Presentation[];
    }
  | { readonly name: 'too_few_generations'; readonly refreshesMissing: number }
  | { readonly name: 'no_refresh_token' };
