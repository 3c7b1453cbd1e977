import { encodeBase64url } from '../../core/base64url.ts';
import { hmacSha256, randomToken, sha256 } from '../../core/crypto.ts';
import type { SessionId } from '../../core/ids.ts';
import type { AuthorizationRequest } from '../authorize/index.ts';
import type { Realm } from '../realm.ts';

/**
 * The browser state of OIDC Session Management §3.2: tells one sign-in from another and opens nothing, because every script
 * of our origin can read it.
 */
export const browserStateOf = ({ id, secrets }: Pick<Realm, 'id' | 'secrets'>, sessionId: SessionId): string =>
  encodeBase64url(hmacSha256(secrets.pairwise.reveal(), `browser state\n${id}\n${sessionId}`));

/**
 * `session_state` of OIDC Session Management §2, which the page of `check_session_iframe` computes again from what it then
 * finds. null: the redirect URI has no origin that a message could come from.
 */
export function sessionStateOf(
  { clientId, target }: Pick<AuthorizationRequest, 'clientId' | 'target'>,
  browserState: string,
  salt: string = randomToken().slice(0, 22),
): string | null {
  const origin = URL.parse(target.redirectUri)?.origin;
  if (origin === undefined || origin === 'null') return null;
  return `${sha256(`${clientId} ${origin} ${browserState} ${salt}`).toString('hex')}.${salt}`;
}
