import { randomBytes } from '../../src/core/crypto.ts';
import {
  brandId,
  type ClientId,
  type FamilyId,
  newId,
  newTimedId,
  type RealmId,
  type SessionId,
  type UserId,
} from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key_ring.ts';
import type { Result } from '../../src/core/result.ts';
import type { Settings } from '../../src/core/settings.ts';
import { sealCode } from '../../src/oidc/authorization_code.ts';
import type { Client } from '../../src/oidc/client.ts';
import type { Refusal } from '../../src/oidc/errors.ts';
import type { Issue } from '../../src/oidc/grants/grant.ts';
import { checkGrant } from '../../src/oidc/grants/index.ts';
import type { Families, ProofToSpend } from '../../src/oidc/ports.ts';
import { encodeRefreshToken } from '../../src/oidc/refresh_token.ts';
import { createAudit } from '../../src/store/audit.ts';
import { createFamilies } from '../../src/store/families.ts';
import { codeOf, noTokens } from '../oidc/grants/redeem.ts';
import { formOf, granted, realm as partyRealm, ring as partyRing, spa, verifier, web } from '../oidc/parties.ts';
import { type Fixture, storeFixture } from './fixture.ts';

/** Token requests against the families of a real Postgres, without HTTP: rows, losses and clocks are ours to arrange. */

export type Sender = {
  readonly client?: Client;
  readonly ring?: KeyRing;
  readonly address?: string;
  readonly agent?: string;
  readonly proofs?: readonly ProofToSpend[];
};

export type Snapshot = { readonly generation: number; readonly secretHash: Uint8Array };

export type Histories = Fixture & {
  readonly families: Families;
  readonly realmId: RealmId;
  /** A code for this client and a new person with a session of their own. */
  readonly code: (client?: Client, options?: CodeOptions) => Promise<Sealed>;
  readonly redeem: (sealed: Pick<Sealed, 'code'>, sender?: Sender) => Promise<Result<Issue, Refusal>>;
  /** A family with its first refresh token. */
  readonly born: (client?: Client, options?: CodeOptions) => Promise<Sealed & { readonly token: string }>;
  readonly refresh: (token: string, sender?: Sender) => Promise<Result<Issue, Refusal>>;
  /** The refresh token of an answer, as the client gets it. */
  readonly tokenOf: (issued: Result<Issue, Refusal>, ring?: KeyRing) => string;
  /** `count` refreshes one after the other; the tokens, the first one included. */
  readonly rotate: (token: string, count: number, sender?: Sender) => Promise<readonly string[]>;
  readonly row: (familyId: FamilyId) => Promise<Row>;
  /** The database forgets what came after: failover to a standby that had not received it. */
  readonly setBack: (familyId: FamilyId, to: Row) => Promise<void>;
  readonly events: (familyId: FamilyId) => Promise<readonly Audited[]>;
  /** Events of the realm that are no family's. */
  readonly eventsOf: (event: string) => Promise<readonly Audited[]>;
  readonly endSession: (sessionId: SessionId) => Promise<void>;
};

export type CodeOptions = { readonly scope?: readonly string[]; readonly familyLifetimeSeconds?: number };

export type Sealed = {
  readonly code: string;
  readonly familyId: FamilyId;
  readonly userId: UserId;
  readonly sessionId: SessionId;
};

export type Row = {
  readonly generation: number;
  readonly secret_hash: Uint8Array | null;
  readonly rotated_at: number;
  readonly revoked_at: number | null;
  readonly revoked_reason: string | null;
};

export type Audited = { readonly event: string; readonly detail: { readonly [key: string]: unknown } };

export const clientWith = (base: Client, clientId: string, settings: Partial<Settings> = {}): Client => ({
  ...base,
  clientId: brandId<ClientId>(clientId),
  settings: { ...base.settings, ...settings },
});

const month = 30 * 86_400;
const home = { address: '192.0.2.1', agent: 'the app' };

export async function familyHistories({ connections = 8 }: { connections?: number } = {}): Promise<Histories> {
  const store = await storeFixture({ connections });
  const { sql } = store.database;
  const realmId = await store.realm();
  const realm = { ...partyRealm, id: realmId };
  const families = createFamilies(
    store.database,
    createAudit(store.database, () => Date.now()),
  );
  const send = async (form: { readonly [name: string]: string }, sender: Sender = {}) => {
    const { client = web, ring = partyRing, address = home.address, agent = home.agent, proofs = [] } = sender;
    const presenter = { address, agent };
    const facts = { realm, client: { ...client, realmId }, ring, now: Date.now(), presenter, proofs };
    const checked = checkGrant({ ...facts, tokens: noTokens, form: formOf(form) });
    return checked.ok ? checked.value.redeem(families) : checked;
  };
  const histories: Histories = {
    ...store,
    families,
    realmId,
    async code(client = web, { scope = ['openid', 'api'], familyLifetimeSeconds = month } = {}) {
      const userId = await store.user(realmId);
      const sessionId = newId<SessionId>();
      await sql`
        INSERT INTO sso_sessions (id, realm_id, user_id, secret_hash, evidence, created_at, seen_at, expires_at)
        VALUES (${sessionId}, ${realmId}, ${userId}, ${randomBytes(32)}, '[]', now(), now(), now() + interval '1 year')`;
      const [clock] = await sql<{ now: number }[]>`SELECT limen_now() AS now`;
      const now = clock?.now ?? Date.now();
      const familyId = newTimedId<FamilyId>(now + familyLifetimeSeconds * 1000);
      const content = codeOf({
        client_id: client.clientId,
        user_id: userId,
        session_id: sessionId,
        scope: [...scope],
        issued_at: now,
        expires_at: now + 60_000,
      });
      return { code: sealCode(partyRing, realmId, { familyId, content }), familyId, userId, sessionId };
    },
    redeem: ({ code }, sender) =>
      send(
        { grant_type: 'authorization_code', code, redirect_uri: codeOf().redirect_uri, code_verifier: verifier },
        sender,
      ),
    async born(client = web, options = {}) {
      const sealed = await histories.code(client, options);
      return { ...sealed, token: histories.tokenOf(await histories.redeem(sealed, { client })) };
    },
    refresh: (token, sender) => send({ grant_type: 'refresh_token', refresh_token: token }, sender),
    tokenOf(issued, ring = partyRing) {
      const { refreshToken } = granted(issued);
      if (refreshToken === null) throw new Error('no refresh token');
      return encodeRefreshToken(ring, realmId, refreshToken);
    },
    async rotate(token, count, sender) {
      const tokens = [token];
      for (let time = 0; time < count; time += 1) {
        tokens.push(histories.tokenOf(await histories.refresh(tokens.at(-1) ?? '', sender), sender?.ring));
      }
      return tokens;
    },
    async row(familyId) {
      const [row] = await sql<Row[]>`
        SELECT generation, secret_hash, rotated_at, revoked_at, revoked_reason FROM token_families WHERE id = ${familyId}`;
      if (row === undefined) throw new Error('no such family');
      return row;
    },
    async setBack(familyId, { generation, secret_hash, rotated_at }) {
      await sql`
        UPDATE token_families SET generation = ${generation}, secret_hash = ${secret_hash},
          rotated_at = ${rotated_at}::timestamptz WHERE id = ${familyId}`;
    },
    events: async (familyId) => [
      ...(await sql<Audited[]>`SELECT event, detail FROM audit_events WHERE family_id = ${familyId} ORDER BY id`),
    ],
    eventsOf: async (event) => [
      ...(await sql<Audited[]>`SELECT event, detail FROM audit_events WHERE event = ${event} ORDER BY id`),
    ],
    async endSession(sessionId) {
      await sql`UPDATE sso_sessions SET ended_at = limen_now() WHERE id = ${sessionId}`;
    },
  };
  return histories;
}

export { spa, web };
