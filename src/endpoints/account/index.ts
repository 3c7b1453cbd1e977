/**
 * `/account`: what a person sees of their own account in a realm, and ends there. Whoever is not signed in goes through a
 * run first. Nothing is done by GET; a POST counts from our own page only, shown to this session, and while the sign-in is
 * recent: otherwise the person signs in again and comes back.
 */
import { isUuid } from '../../core/ids.ts';
import { authTimeOf } from '../../flow/evidence.ts';
import { pageResponse, redirect } from '../answer.ts';
import { readForm } from '../body.ts';
import { readCookie } from '../cookies.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange, Handler } from '../exchange.ts';
import { isOwnSubmit } from '../interaction/browser.ts';
import { accountUrl } from '../interaction/destination.ts';
import { sessionOf } from '../interaction/drive.ts';
import { formToken, isFormToken } from '../interaction/handle.ts';
import type { Interaction } from '../interaction/index.ts';
import type { FoundSession } from '../interaction/ports.ts';
import { type Change, changes, isChange } from './changes.ts';
import { accountView } from './view.ts';

/** The person at the other end, as long as they are signed in. */
type SignedIn = { readonly session: FoundSession; readonly cookie: string };

export function accountEndpoint(
  deps: Dependencies,
  interaction: Interaction,
): { readonly show: Handler; readonly change: Handler } {
  return {
    show: async (exchange) => {
      const signedIn = await signedInAt(deps, exchange);
      if (signedIn === null) return interaction.begin(exchange, { kind: 'account', request: noOneYet });
      if (signedIn.session.touchDue) await deps.sessions.touch(exchange.realm.id, signedIn.session.id);
      return show(deps, exchange, signedIn);
    },
    change: (exchange) => change(deps, interaction, exchange),
  };
}

const noOneYet = { kind: 'account', again: null } as const;

async function signedInAt(deps: Dependencies, exchange: Exchange): Promise<SignedIn | null> {
  const cookie = readCookie(exchange.request, exchange.realm, 'session');
  const session = await sessionOf(deps, exchange, { session: undefined }, null);
  return cookie === null || session === null ? null : { session, cookie };
}

/** Whether what the person proved is fresh enough to change something by. */
function isRecent({ realm, now }: Exchange, { session }: SignedIn): boolean {
  const authTime = authTimeOf(session.evidence);
  return authTime !== null && now - authTime <= realm.settings.accountChangeAgeSeconds * 1000;
}

async function show(deps: Dependencies, exchange: Exchange, signedIn: SignedIn): Promise<Response> {
  const { realm, query } = exchange;
  const { session, cookie } = signedIn;
  const asked = new URLSearchParams(query);
  const before = asked.get('before') ?? '';
  const recent = isRecent(exchange, signedIn);
  const view = await accountView(deps, exchange, session, isUuid(before) ? before : null);
  const page = {
    kind: 'account' as const,
    ...view,
    username: session.user.username,
    isRecent: recent,
    status: statusIn(deps, asked, signedIn, recent),
    signOutUrl: new URL(`${realm.issuer}/logout`).pathname,
    form: {
      action: new URL(accountUrl(realm)).pathname,
      step: tokenStep,
      token: formToken(deps.ring, cookie, tokenSubject(session), tokenStep),
    },
  };
  return pageResponse(deps.renderPage, exchange, page);
}

const tokenStep = 0;
const tokenSubject = ({ id }: FoundSession): string => `account ${id}`;

/** What a change came to, as the address after it says; `again`: the person signed in again to make one. */
type Done = Exclude<Change, 'end_everything'> | 'nothing' | 'again';

const doneSubject = ({ id }: FoundSession, done: string): string => `account ${id} ${done}`;

/** Nobody else's link can make the page say that something was done. */
function statusIn(
  { ring }: Dependencies,
  asked: URLSearchParams,
  { session, cookie }: SignedIn,
  recent: boolean,
): Done | null {
  const done = asked.get('done') ?? '';
  if (done === 'again') return recent ? 'again' : null;
  if (done !== 'nothing' && (!isChange(done) || done === 'end_everything')) return null;
  return isFormToken(ring, asked.get('proof') ?? '', cookie, doneSubject(session, done), tokenStep) ? done : null;
}

async function change(deps: Dependencies, interaction: Interaction, exchange: Exchange): Promise<Response> {
  const { realm, request } = exchange;
  const signedIn = await signedInAt(deps, exchange);
  const body = await readForm(request);
  const here = redirect(accountUrl(realm));
  if (signedIn === null || !body.ok) return here;
  const { session, cookie } = signedIn;
  const { change: asked, id, token } = body.value.values;
  const isProven = typeof token === 'string' && isFormToken(deps.ring, token, cookie, tokenSubject(session), tokenStep);
  if (!isProven || !isOwnSubmit(exchange, new URL(deps.publicUrl).origin)) return here;
  if (typeof asked !== 'string' || !isChange(asked)) return here;
  const { userId, username } = session.user;
  if (!isRecent(exchange, signedIn)) {
    const again = { userId, username };
    return interaction.begin(exchange, { kind: 'account', request: { kind: 'account', again } });
  }
  const of = { owner: { realmId: realm.id, userId }, session, id: typeof id === 'string' ? id : '' };
  const { address, agent } = exchange;
  const done = (await changes[asked](deps.account, of, { address, agent })) ? asked : 'nothing';
  // Nobody is signed in here any more: the page of the sign-out says so, and takes the cookies.
  if (done === 'end_everything') return redirect(`${realm.issuer}/logout`);
  const proof = formToken(deps.ring, cookie, doneSubject(session, done), tokenStep);
  return redirect(`${accountUrl(realm)}?${new URLSearchParams({ done, proof })}`);
}
