import { refusal } from '../oidc/errors.ts';
import { pageResponse } from './answer.ts';
import { cookieName } from './cookies.ts';
import type { Dependencies } from './dependencies.ts';
import type { Handler } from './exchange.ts';
import { logRefusal } from './refused.ts';

/** OIDC Session Management §3.2: the one page that others may put into a frame. Nothing is there unless the realm has it on. */
export function checkSessionEndpoint({ renderPage, log }: Pick<Dependencies, 'renderPage' | 'log'>): Handler {
  return async (exchange) => {
    const { realm, errorId } = exchange;
    if (!realm.settings.sessionManagement) {
      logRefusal(log, exchange, switchedOff);
      const page = { kind: 'error' as const, reason: 'not_found' as const, errorId, backUrl: null, clientName: null };
      return pageResponse(renderPage, exchange, page, { status: 404 });
    }
    const page = { kind: 'check_session' as const, cookie: cookieName(realm, 'state') };
    const response = pageResponse(renderPage, exchange, page);
    response.headers.delete('x-frame-options');
    return response;
  };
}

const switchedOff = refusal(
  'invalid_request',
  'session management is off in this realm; its setting is sessionManagement',
  'OIDC Session Management §3.3',
);
