import { brandId, type SessionId } from '../../core/ids.ts';
import type { CodeContent } from '../../oidc/authorization_code.ts';
import { browserStateOf, sessionStateOf } from '../../oidc/logout/index.ts';
import { setCookie } from '../cookies.ts';
import type { ClientRecipient } from './respond.ts';

/**
 * OIDC Session Management §2, §3.2: what the client gets to watch the sign-in by, and the cookie that says whether it is
 * still the same one. Nothing where the realm has it off.
 */
export function watchedState(
  { exchange: { realm }, request }: ClientRecipient,
  { session_id }: Pick<CodeContent, 'session_id'>,
): { readonly sessionState: string | null; readonly stateCookies: readonly string[] } {
  if (!realm.settings.sessionManagement || session_id === null) return { sessionState: null, stateCookies: [] };
  const browserState = browserStateOf(realm, brandId<SessionId>(session_id));
  return {
    sessionState: sessionStateOf(request, browserState),
    stateCookies: [setCookie(realm, 'state', browserState)],
  };
}
