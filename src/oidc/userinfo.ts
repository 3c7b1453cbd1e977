import { claimsOfScope, type StandardClaims } from './standard_claims.ts';

/**
 * OIDC Core §5.3.2, §5.4, §5.5: the claims of the granted scopes and those asked for by name; what the user record does
 * not hold is left out, never null.
 */
export function userinfoClaims(
  subject: string,
  scope: readonly string[],
  asked: readonly string[],
  userClaims: StandardClaims,
): { readonly [claim: string]: unknown } {
  const released = new Set([...scope.flatMap(claimsOfScope), ...asked]);
  const claims = Object.entries(userClaims).filter(([name, value]) => released.has(name) && value !== undefined);
  return { sub: subject, ...Object.fromEntries(claims) };
}
