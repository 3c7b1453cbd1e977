import type { Environment } from './environment.ts';
import { textsOf } from './json.ts';
import { signIn } from './sign_in.ts';
import { claimsOfScopes } from './userinfo.ts';
import { skipIf } from './verdict.ts';

/** OIDC Core §5.4: the claims of the scopes are in userinfo, all of them and no others. */
export async function signInWithScopes(environment: Environment, scopes: readonly string[]): Promise<void> {
  const supported = textsOf(environment.metadata, 'scopes_supported');
  for (const scope of scopes) skipIf(!supported.includes(scope), `scopes_supported does not list ${scope}`);
  const { userinfo, idToken } = await signIn(environment, { scope: ['openid', ...scopes].join(' ') });
  const wanted = claimsOfScopes(scopes);
  const missing = wanted.filter((name) => userinfo[name] === undefined);
  environment.warnUnless(missing.length === 0, `userinfo lacks ${missing.join(', ')}`);
  // An ID token that stands for userinfo was searched for claims that nobody asked for when it was verified.
  const unwanted =
    userinfo === idToken.claims ? [] : Object.keys(userinfo).filter((name) => name !== 'sub' && !wanted.includes(name));
  environment.warnUnless(unwanted.length === 0, `userinfo has claims nobody asked for: ${unwanted.join(', ')}`);
}
