import { Secret } from '../../core/secret.ts';

/** OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane (`Bun.password` always takes one). */
export const argon2idParameters = { memoryKibibytes: 19_456, passes: 2 } as const;

const currentPrefix = `$argon2id$v=19$m=${argon2idParameters.memoryKibibytes},t=${argon2idParameters.passes},p=1$`;

/** Whether a stored hash was made with today's algorithm and parameters. */
export const hasCurrentParameters = (hash: Secret): boolean => hash.reveal().startsWith(currentPrefix);

/**
 * The hash to store, as a PHC string. Computed by this process: for the command line and seeds. A process that serves
 * asks its children (`hashing.ts`), because Argon2id would fill the thread pool that also signs tokens.
 */
export const hashPassword = async (password: Secret): Promise<Secret> => new Secret(await hashHere(password.reveal()));

export const hashHere = (password: string): Promise<string> =>
  Bun.password.hash(normalize(password), {
    algorithm: 'argon2id',
    memoryCost: argon2idParameters.memoryKibibytes,
    timeCost: argon2idParameters.passes,
  });

/** Rejects where the stored hash is no hash that can be read. */
export const matchesHere = (password: string, hash: string): Promise<boolean> =>
  Bun.password.verify(normalize(password), hash);

/** Keyboards differ in how they compose accents (NIST SP 800-63B §3.1.1.2). */
const normalize = (password: string): string => password.normalize('NFC');
