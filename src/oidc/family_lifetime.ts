import { longestFamilySeconds } from '../core/settings.ts';
import type { Client } from './client.ts';
import type { Realm } from './realm.ts';

/**
 * The absolute expiry that a family's id carries: with a refresh token the client's absolute lifetime, and never less than
 * what its code and its access token may last.
 */
export function familyLifetimeSeconds(realm: Realm, client: Client, codeLifetimeSeconds: number): number {
  const refreshes = client.grantTypes.includes('refresh_token');
  const wanted = refreshes ? client.settings.refreshAbsoluteLifetimeSeconds : 0;
  return Math.min(longestFamilySeconds, Math.max(leastFamilySeconds(realm, client, codeLifetimeSeconds), wanted));
}

export const leastFamilySeconds = (realm: Realm, client: Client, codeLifetimeSeconds: number): number =>
  codeLifetimeSeconds + client.settings.accessTokenLifetimeSeconds + 2 * realm.settings.clockSkewSeconds + 60;
