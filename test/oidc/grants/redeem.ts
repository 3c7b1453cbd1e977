import { type FamilyId, newTimedId } from '../../../src/core/ids.ts';
import type { KeyRing } from '../../../src/core/key_ring.ts';
import type { Result } from '../../../src/core/result.ts';
import type { Instant } from '../../../src/core/time.ts';
import { type CodeContent, sealCode } from '../../../src/oidc/authorization_code.ts';
import type { Client } from '../../../src/oidc/client.ts';
import type { Refusal } from '../../../src/oidc/errors.ts';
import type { Issue, TokenPorts } from '../../../src/oidc/grants/grant.ts';
import { checkGrant } from '../../../src/oidc/grants/index.ts';
import type { ProofToSpend } from '../../../src/oidc/ports.ts';
import type { Realm } from '../../../src/oidc/realm.ts';
import { FamiliesInMemory } from '../families_in_memory.ts';
import {
  callback,
  challenge,
  formOf,
  issuer,
  realm,
  realmId,
  ring,
  second,
  sessionId,
  start,
  userId,
  web,
} from '../parties.ts';

export const ann = { name: 'Ann Example', email: 'ann@example.org', email_verified: true };

/** A database in which Ann is signed in. */
export function database(): FamiliesInMemory {
  const families = new FamiliesInMemory(start);
  families.users.set(userId, { realmId, username: 'ann', enabled: true, validFrom: 0, claims: ann });
  families.sessions.set(sessionId, { endedAt: null, expiresAt: start + 365 * 86_400 * second });
  return families;
}

export const monthSeconds = 30 * 86_400;
export const newFamilyId = (): FamilyId => newTimedId<FamilyId>(start + monthSeconds * second);

export const codeOf = (changes: Partial<CodeContent> = {}): CodeContent => ({
  client_id: 'web',
  user_id: userId,
  session_id: sessionId,
  redirect_uri: callback,
  scope: ['openid', 'api'],
  audience: [issuer],
  nonce: 'n-0S6',
  code_challenge: challenge,
  auth_time: start / 1000 - 5,
  acr: 'pwd',
  amr: ['pwd'],
  claims: { userinfo: ['email'], id_token: ['name'] },
  front_family_id: null,
  expires_at: start + 60 * second,
  issued_at: start,
  ...changes,
});

export const sealed = (
  changes: Partial<CodeContent> = {},
  familyId: FamilyId = newFamilyId(),
  keys: KeyRing = ring,
): string => sealCode(keys, realmId, { familyId, content: codeOf(changes) });

type Sent = { readonly [name: string]: string | readonly string[] | undefined };
export type Circumstances = {
  readonly client?: Client;
  readonly realm?: Realm;
  readonly ring?: KeyRing;
  readonly now?: Instant;
  readonly agent?: string;
  readonly proofs?: readonly ProofToSpend[];
  readonly tokens?: TokenPorts;
};

/** What a client proved itself with, to be spent. */
export const proofOf = (jti: string): ProofToSpend => ({
  kind: 'client assertion',
  realmId,
  owner: web.clientId,
  jti,
  expiresAt: start + 60_000,
});

/** For the grants that take no access token. */
export const noTokens: TokenPorts = { read: async () => null, findClient: async () => null };

/** Sends a token request whose client is authenticated; the database is only asked by what `checkGrant` let pass. */
export async function send(
  families: FamiliesInMemory,
  sent: Sent,
  circumstances: Circumstances = {},
): Promise<Result<Issue, Refusal>> {
  const { agent = 'agent', ...facts } = circumstances;
  const presenter = { address: '192.0.2.1', agent };
  const usual = { realm, client: web, ring, now: families.now, presenter, proofs: [], tokens: noTokens };
  const checked = checkGrant({ ...usual, form: formOf(sent), ...facts });
  return checked.ok ? checked.value.redeem(families) : checked;
}
