/** Why the embedded Postgres did not start. The sentence says what, where and how to mend it. */
export type StartFault = {
  readonly kind:
    | 'no_binaries'
    | 'binaries_incomplete'
    | 'other_version'
    | 'folder_refused'
    | 'initdb_failed'
    | 'server_failed'
    | 'orphan_remains'
    | 'interrupted';
  readonly sentence: string;
};

export const interrupted: StartFault = { kind: 'interrupted', sentence: 'The start of Postgres was interrupted.' };

export const wasInterrupted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
