import { brandId, type SessionId } from '../../core/ids.ts';
import type { CodeContent } from '../../oidc/authorization_code.ts';
import { browserStateOf, sessionStateOf } from '../../oidc/logout/index.ts';
import type { Realm } from '../../oidc/realm.ts';
import { setCookie } from '../cookies.ts';
import type { ClientRecipient } from './respond.ts';

/**
 * OIDC Session Management §2, §3.2: what the client gets to watch the sign-in by; null where the realm has it off.
 */
export function sessionStateFor(
  { exchange: { realm }, request }: ClientRecipient,
  { session_id }: Pick<CodeContent, 'session_id'>,
): string | null {
  if (!realm.settings.sessionManagement || session_id === null) return null;
  return sessionStateOf(request, browserStateOf(realm, brandId<SessionId>(session_id)));
}

/** The cookie that says whether it is still the same one, for a browser whose sign-in this is. */
export const stateCookiesOf = (realm: Realm, sessionId: SessionId): readonly string[] =>
  realm.settings.sessionManagement ? [setCookie(realm, 'state', browserStateOf(realm, sessionId))] : [];
