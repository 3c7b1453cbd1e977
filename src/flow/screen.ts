import type { DeviceDemand } from './run.ts';

/** What a page shows, as data: `login/` renders it, the run keeps the last one, tests compare it. No HTML, no text. */
export type Screen =
  | { readonly name: 'identifier'; readonly username: string; readonly fault: 'username_missing' | null }
  | {
      readonly name: 'password';
      readonly username: string;
      /** `refused`: unknown, wrong, locked: one text for all. `busy`: the hash queue is full. */
      readonly fault: 'password_missing' | 'refused' | 'busy' | null;
    }
  | ({ readonly name: 'consent' } & Asking)
  /** The same for a device, with what tells it from another one. */
  | ({ readonly name: 'device'; readonly device: DeviceDemand } & Asking);

/** Who asks whom for what. */
type Asking = {
  readonly username: string;
  readonly audienceName: string;
  readonly logoUri: string | null;
  readonly policyUri: string | null;
  readonly termsUri: string | null;
  /** Scopes by wire name, resources by `consent_item.ts`. */
  readonly items: readonly string[];
};

export type ScreenName = Screen['name'];
