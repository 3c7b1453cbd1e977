/** What a page shows, as data: `login/` renders it, the run keeps the last one, tests compare it. No HTML, no text. */
export type Screen =
  | { readonly name: 'identifier'; readonly username: string; readonly fault: 'username_missing' | null }
  | {
      readonly name: 'password';
      readonly username: string;
      /** `refused`: unknown, wrong, locked: one text for all. `busy`: the hash queue is full. */
      readonly fault: 'password_missing' | 'refused' | 'busy' | null;
    }
  | {
      readonly name: 'consent';
      readonly username: string;
      readonly audienceName: string;
      readonly logoUri: string | null;
      readonly policyUri: string | null;
      readonly termsUri: string | null;
      /** Scopes by wire name. */
      readonly items: readonly string[];
    }
  | {
      readonly name: 'device';
      readonly username: string;
      readonly audienceName: string;
      readonly logoUri: string | null;
      readonly policyUri: string | null;
      readonly termsUri: string | null;
      readonly items: readonly string[];
      readonly device: {
        readonly userCode: string;
        readonly address: string | null;
        readonly agent: string | null;
        readonly askedAt: number;
      };
    };

export type ScreenName = Screen['name'];
