import { unreachable } from '../../core/result.ts';
import { beginSignIn, type Changed, completeSignIn, refresh, replay } from './actions.ts';
import { icon } from './icon.ts';
import type { PageContext } from './pages/context.ts';
import { plainRefusal, signInRefused } from './pages/refused.ts';
import { signedInHome } from './pages/signed_in.ts';
import { signedOut, signedOutHome } from './pages/signed_out.ts';
import type { Provider } from './provider.ts';
import type { ProviderFault } from './provider_fault.ts';
import { asset, type Respond } from './respond.ts';
import { inTurn, type Session, type Sessions, type SignedIn } from './sessions.ts';
import { styleSheet } from './style.ts';

export type Application = {
  readonly page: Omit<PageContext, 'formToken'>;
  /** By client_id. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly sessions: Sessions;
  readonly respond: Respond;
};

export type Visit = {
  readonly application: Application;
  readonly url: URL;
  readonly cookie: string;
  readonly session: Session | undefined;
  /** Empty unless it is a POST, whose form token was checked. */
  readonly form: URLSearchParams;
};

type Handler = (visit: Visit) => Response | Promise<Response>;
export type Route = { readonly [method in 'GET' | 'HEAD' | 'POST']?: Handler };

/** Every path there is. HEAD stands beside GET only where looking changes nothing. */
export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/', { GET: home, HEAD: home }],
  ['/callback', { GET: callback }],
  ['/signed-out', { GET: signedOutPage, HEAD: signedOutPage }],
  ['/sign-in', { POST: signIn }],
  ['/sign-out', { POST: signOut }],
  ['/refresh', { POST: change((provider, signedIn) => refresh(provider, signedIn)) }],
  ['/replay-parent', { POST: change((provider, signedIn) => replay(provider, signedIn, 'parent')) }],
  ['/replay-old', { POST: change((provider, signedIn) => replay(provider, signedIn, 'oldest')) }],
]);

/** Looked at without a cookie: what a page loads must not replace the cookie that its forms are bound to. */
export const assets: ReadonlyMap<string, () => Response> = new Map([
  ['/style.css', () => asset(styleSheet, 'text/css; charset=utf-8')],
  ['/icon.svg', () => asset(icon, 'image/svg+xml')],
]);

function home(visit: Visit): Response {
  const { session, application } = visit;
  const context = contextOf(visit);
  return application.respond.page(
    session?.signedIn ? signedInHome(context, session.signedIn, session.notice) : signedOutHome(context),
  );
}

function signedOutPage(visit: Visit): Response {
  return visit.application.respond.page(signedOut(contextOf(visit)));
}

async function signIn(visit: Visit): Promise<Response> {
  const { application, cookie, form } = visit;
  const clientId = form.get('client_id') ?? '';
  const provider = application.providers.get(clientId);
  if (provider === undefined) {
    return application.respond.page(
      plainRefusal('No such client', 'This application has no client of that name.'),
      400,
    );
  }
  const url = await beginSignIn(provider, application.sessions.findOrCreate(cookie), clientId);
  return url.ok ? application.respond.seeOther(url.value.href) : refusedPage(visit, url.error, clientId);
}

async function callback(visit: Visit): Promise<Response> {
  const { application, session, url, cookie } = visit;
  const state = url.searchParams.get('state') ?? '';
  if (session === undefined) return unexpectedCallback(visit);
  return await inTurn(session, async () => {
    const attempt = session.attempts.get(state);
    if (attempt === undefined) {
      return session.signedIn === null ? unexpectedCallback(visit) : application.respond.seeOther('/');
    }
    // The redirect URI is the registered one, whatever the request's Host says.
    const received = new URL(`${application.page.baseUrl}/callback${url.search}`);
    const completed = await completeSignIn(providerOf(application, attempt.clientId), session, attempt, received);
    if (!completed.ok) return refusedPage(visit, completed.error, attempt.clientId);
    session.signedIn = completed.value;
    session.notice = null;
    const response = application.respond.seeOther('/');
    response.headers.append('set-cookie', application.sessions.setCookie(application.sessions.renew(cookie, session)));
    return response;
  });
}

/** A callback whose `state` this browser did not send: an old tab, a lost cookie, or somebody else's link. */
function unexpectedCallback({ application, url }: Visit): Response {
  const given = ['error', 'error_description', 'iss'].flatMap((name): readonly (readonly [string, string])[] => {
    const value = url.searchParams.get(name);
    return value === null ? [] : [[name, value]];
  });
  const sentence =
    'This browser has no sign-in under way that the answer belongs to: it may be finished already, or started elsewhere.';
  return application.respond.page(plainRefusal('Nobody waits for this answer', sentence, given), 400);
}

/** RP-Initiated Logout §2. The tokens here are forgotten first, whatever the provider then asks. */
async function signOut(visit: Visit): Promise<Response> {
  const { application, cookie, session } = visit;
  application.sessions.end(cookie);
  if (!session?.signedIn) return application.respond.seeOther('/');
  const { clientId, idToken } = session.signedIn;
  const url = await providerOf(application, clientId).endSessionUrl(idToken.jwt);
  return application.respond.seeOther(url.ok && url.value !== null ? url.value.href : '/signed-out');
}

/** A button of the signed-in page: presses are taken one after the other and end on the page again. */
function change(press: (provider: Provider, signedIn: SignedIn) => Promise<Changed>): Handler {
  return async ({ application, session }) => {
    if (session !== undefined) {
      await inTurn(session, async () => {
        if (session.signedIn === null) return;
        const { signedIn, notice } = await press(providerOf(application, session.signedIn.clientId), session.signedIn);
        session.signedIn = signedIn;
        session.notice = notice;
      });
    }
    return application.respond.seeOther('/');
  };
}

const contextOf = ({ application, cookie }: Visit): PageContext => ({
  ...application.page,
  formToken: application.sessions.formToken(cookie),
});

const refusedPage = (visit: Visit, fault: ProviderFault, clientId: string): Response =>
  visit.application.respond.page(
    signInRefused(contextOf(visit), fault, clientId),
    fault.kind === 'authorization_refused' ? 400 : 502,
  );

const providerOf = ({ providers }: Application, clientId: string): Provider =>
  providers.get(clientId) ?? unreachable(`a sign-in of unknown client ${clientId}`);
