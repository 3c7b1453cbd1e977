import { randomToken } from '../../core/crypto.ts';
import type { ClientId, RealmId, SessionId, UserId } from '../../core/ids.ts';
import { type Instant, toNumericDate } from '../../core/time.ts';
import type { Client } from '../client.ts';
import { idTokenAlgorithmOf } from '../id_token.ts';
import type { Realm } from '../realm.ts';
import { sidOf, subjectOf } from '../subject.ts';

/** Whom to tell that whose sign-in ended. */
export type LogoutNotice = {
  readonly realmId: RealmId;
  readonly sessionId: SessionId;
  readonly clientId: ClientId;
  readonly userId: UserId;
};

export type BackchannelLogout = {
  readonly realm: (realmId: RealmId, now: Instant) => Promise<Realm | null>;
  readonly client: (realmId: RealmId, clientId: string, now: Instant) => Promise<Client | null>;
  /** A compact JWS with the realm's active key of this algorithm. */
  readonly sign: (
    realmId: RealmId,
    algorithm: string,
    type: string,
    claims: object,
    now: Instant,
  ) => string | Promise<string>;
};

/** `pointless`: there is nobody to tell any more; `why` is for operators. */
export type PreparedLogout =
  | { readonly kind: 'ready'; readonly url: string; readonly logoutToken: string }
  | { readonly kind: 'pointless'; readonly why: string };

/** A logout token as registered now, not as it was when the session ended. Made anew for each attempt: it lives briefly. */
export async function prepareLogout(
  { realm: findRealm, client: findClient, sign }: BackchannelLogout,
  notice: LogoutNotice,
  now: Instant,
): Promise<PreparedLogout> {
  const realm = await findRealm(notice.realmId, now);
  if (realm?.enabled !== true) return { kind: 'pointless', why: 'the realm is gone or disabled' };
  const client = await findClient(realm.id, notice.clientId, now);
  if (client?.enabled !== true) return { kind: 'pointless', why: 'the client is gone or disabled' };
  const url = client.metadata.backchannel_logout_uri;
  if (url === undefined) return { kind: 'pointless', why: 'the client has no backchannel_logout_uri any more' };
  const claims = logoutTokenClaims(realm, client, notice, now);
  return {
    kind: 'ready',
    url,
    logoutToken: await sign(realm.id, idTokenAlgorithmOf(client), logoutTokenType, claims, now),
  };
}

/** OIDC Back-Channel Logout §2.4, §4: typed, so that it can be taken for no other token. */
const logoutTokenType = 'logout+jwt';
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
/** "Preferably at most two minutes in the future" (§2.4). */
const lifetimeSeconds = 120;

/** OIDC Back-Channel Logout §2.4. Never a `nonce`, which would make it an ID token. */
export function logoutTokenClaims(
  realm: Realm,
  client: Client,
  { userId, sessionId }: Pick<LogoutNotice, 'userId' | 'sessionId'>,
  now: Instant,
): { readonly [name: string]: unknown } {
  const issuedAt = toNumericDate(now);
  return {
    iss: realm.issuer,
    aud: client.clientId,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    jti: randomToken().slice(0, 22),
    sub: subjectOf(realm, client, userId),
    sid: sidOf(realm, client.clientId, sessionId),
    events: { [logoutEvent]: {} },
  };
}
