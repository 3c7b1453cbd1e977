import type { Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import type { Instant } from '../../core/time.ts';
import type { Client, ClientSecretHash } from '../client.ts';
import type { ClientKeys } from '../client_keys.ts';
import { type Refusal, refusal } from '../errors.ts';
import type { ProofToSpend } from '../ports.ts';
import type { Realm } from '../realm.ts';

/** What a request shows of its client, before anything is believed. */
export type ShownCredentials = {
  readonly authorization: string | null;
  readonly client_id: string | undefined;
  readonly client_secret: string | undefined;
  readonly client_assertion: string | undefined;
  readonly client_assertion_type: string | undefined;
};

/** Credentials of one method, read but not verified. */
export type Claim<Credentials> = { readonly clientId: string; readonly credentials: Credentials };

export type VerificationFacts = {
  readonly realm: Realm;
  readonly now: Instant;
  /** URLs of this server that an assertion may name as its audience. */
  readonly audiences: readonly string[];
  readonly clientKeys: ClientKeys;
  readonly openClientSecret: OpenClientSecret;
};

/** A secret that is kept to compute with; null: only its hash is kept. Throws where the key ring cannot open it. */
export type OpenClientSecret = (
  client: Pick<Client, 'realmId' | 'clientId'>,
  secret: ClientSecretHash,
) => Secret | null;

/** A client that proved itself. `proof` is spent by the caller once everything else was checked. */
export type Verified = { readonly proof: ProofToSpend | null };

/** A method: one file, one line in `index.ts`; discovery and registration follow. */
export type ClientAuthMethod<Credentials> = {
  readonly name: string;
  readonly forClass: 'public' | 'confidential';
  /** Whether the request uses this method; 'absent' leaves it to the others. */
  readonly read: (shown: ShownCredentials) => Result<Claim<Credentials>, Refusal> | 'absent';
  readonly verify: (
    client: Client,
    credentials: Credentials,
    facts: VerificationFacts,
  ) => Result<Verified, Refusal> | Promise<Result<Verified, Refusal>>;
};

/** One description for every reason: what failed is nobody's business but the operator's. */
export const refuseClient = (rule: string, description = 'client authentication failed'): Refusal =>
  refusal('invalid_client', description, rule);
