import type { Provider } from '../../provider.ts';
import { UserAgent } from '../../user_agent.ts';
import {
  acmeOf,
  alice,
  authorize,
  authorizeUrl,
  carol,
  codeOf,
  codeVerifier,
  type Party,
  spaOf,
  type Tokens,
  tokensFor,
  webOf,
} from '../relying_party.ts';

/** Everything real that a bad request may misuse; all of it must still work afterwards. */
export type Known = {
  readonly issuer: string;
  readonly host: string;
  readonly web: Party & { readonly secret: string };
  readonly spa: Party;
  readonly acme: Party & { readonly secret: string };
  readonly serviceSecret: string;
  /** Not redeemed yet. */
  readonly webCode: string;
  readonly spaCode: string;
  readonly acmeCode: string;
  readonly webTokens: Tokens;
  readonly acmeTokens: Tokens;
  /** Path of a run that waits for alice's password, its hidden fields, and the cookies it is bound to. */
  readonly run: {
    readonly path: string;
    readonly hidden: { readonly [name: string]: string };
    readonly cookie: string;
  };
  /** Cookies of a browser that is signed in at the default realm. */
  readonly signedIn: string;
  /** Whatever must never be repeated to anyone. */
  readonly secrets: readonly string[];
};

const cookiesOf = ({ cookies }: UserAgent): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

export async function prepare(provider: Provider): Promise<Known> {
  const web = { ...webOf(provider), secret: provider.secretOf('demo-web') };
  const spa = spaOf(provider);
  const acme = { ...acmeOf(provider), secret: provider.secretOf('acme-web', 'acme') };
  const scope = 'openid profile';
  const browser = new UserAgent();
  const webTokens = await tokensFor(web, alice, { scope }, browser);
  const acmeTokens = await tokensFor(acme, carol, { scope });
  const [webCode, spaCode, acmeCode] = [
    codeOf(await authorize(web, alice, { scope }, browser)),
    codeOf(await authorize(spa, alice, { scope })),
    codeOf(await authorize(acme, carol, { scope })),
  ];
  const waiting = new UserAgent();
  const identifier = await waiting.page(authorizeUrl(web));
  const password = await waiting.answer(identifier, { username: alice.username });
  if (password instanceof URL) throw new Error('a run went on without a password');
  const serviceSecret = provider.secretOf('demo-service');
  const { pathname, host } = new URL(password.url);
  const tokens = [webTokens, acmeTokens].flatMap((set) => Object.values(set));
  return {
    issuer: provider.issuer,
    host,
    web,
    spa,
    acme,
    serviceSecret,
    webCode,
    spaCode,
    acmeCode,
    webTokens,
    acmeTokens,
    run: { path: pathname, hidden: password.hidden, cookie: cookiesOf(waiting) },
    signedIn: cookiesOf(browser),
    secrets: [
      web.secret,
      acme.secret,
      serviceSecret,
      webCode,
      spaCode,
      acmeCode,
      ...tokens,
      alice.password,
      codeVerifier,
      ...[...browser.cookies.values()],
      ...[...waiting.cookies.values()],
    ],
  };
}
