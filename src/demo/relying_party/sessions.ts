import { LRUCache } from 'lru-cache';
import { decodeBase64url, encodeBase64url } from '../../core/base64url.ts';
import { equalConstantTime, hmacSha256, randomBytes, randomToken } from '../../core/crypto.ts';
import type { Result } from '../../core/result.ts';
import type { Family } from './family.ts';
import type { Notice } from './notice.ts';
import type { Attempt, Claims, Tokens } from './provider.ts';
import type { ProviderFault } from './provider_fault.ts';

export type SignedIn = {
  readonly clientId: string;
  readonly displayName: string;
  readonly accessToken: string;
  readonly idToken: NonNullable<Tokens['idToken']>;
  readonly userinfo: Result<Claims, ProviderFault>;
  readonly family: Family;
};

/** What this application knows of one browser. Mutable; `inTurn` keeps two requests from changing it at once. */
export type Session = {
  readonly attempts: LRUCache<string, Attempt>;
  signedIn: SignedIn | null;
  /** What the last button did; shown until the next one. */
  notice: Notice | null;
  turn: Promise<unknown>;
};

const sessionLimit = 500;
/** One per tab that is on its way through the provider. */
const attemptLimit = 10;

/** Sessions in memory, least recently used first to go. A browser that only looks gets a cookie but no entry. */
export type Sessions = {
  /** The session cookie's value, or a new one that `Set-Cookie` has to bring to the browser. */
  cookieOf(request: Request): { readonly value: string; readonly isNew: boolean };
  find(cookie: string): Session | undefined;
  findOrCreate(cookie: string): Session;
  /** Moves the session to a new cookie value: what was known before the sign-in opens nothing after it. */
  renew(cookie: string, session: Session): string;
  end(cookie: string): void;
  setCookie(value: string): string;
  /** Proves that a form came from a page of ours shown to this cookie. */
  formToken(cookie: string): string;
  isFormToken(cookie: string, token: string): boolean;
};

export function createSessions(baseUrl: URL): Sessions {
  const sessions = new LRUCache<string, Session>({ max: sessionLimit });
  const formKey = randomBytes(32);
  // Cookies are shared between the ports of a host (RFC 6265 §8.5), so the name carries the port.
  const name = `limen_demo_${baseUrl.port || 'rp'}`;
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${baseUrl.protocol === 'https:' ? '; Secure' : ''}`;
  const tokenBytes = (cookie: string): Buffer => hmacSha256(formKey, cookie);
  return {
    cookieOf(request) {
      const value = readCookie(request.headers.get('cookie') ?? '', name);
      return value === undefined ? { value: randomToken(), isNew: true } : { value, isNew: false };
    },
    find: (cookie) => sessions.get(cookie),
    findOrCreate(cookie) {
      const session = sessions.get(cookie) ?? newSession();
      sessions.set(cookie, session);
      return session;
    },
    renew(cookie, session) {
      const renewed = randomToken();
      sessions.delete(cookie);
      sessions.set(renewed, session);
      return renewed;
    },
    end: (cookie) => {
      sessions.delete(cookie);
    },
    setCookie: (value) => `${name}=${value}${attributes}`,
    formToken: (cookie) => encodeBase64url(tokenBytes(cookie)),
    isFormToken(cookie, token) {
      const bytes = decodeBase64url(token);
      return bytes !== undefined && equalConstantTime(bytes, tokenBytes(cookie));
    },
  };
}

/** A doubled click would otherwise present one refresh token twice at once and look like two callers. */
export function inTurn<Value>(session: Session, work: () => Promise<Value>): Promise<Value> {
  const mine = session.turn.then(work);
  session.turn = mine.catch(() => undefined);
  return mine;
}

const newSession = (): Session => ({
  attempts: new LRUCache({ max: attemptLimit }),
  signedIn: null,
  notice: null,
  turn: Promise.resolve(),
});

/** Only a value of the shape that we set: 256 bits, base64url. */
function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const [key, value] = pair.trim().split('=');
    if (key === name && value !== undefined && /^[\w-]{43}$/.test(value)) return value;
  }
  return undefined;
}
