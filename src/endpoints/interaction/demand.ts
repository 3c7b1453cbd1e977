import { resourceItem } from '../../flow/consent_item.ts';
import type { ConsentDemand, Demand } from '../../flow/run.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { kindOfRedirectUri } from '../../oidc/authorize/redirect_uri.ts';
import { isOneOf } from '../../oidc/authorize/resource.ts';
import type { Client } from '../../oidc/client.ts';
import { scopesOfClaims } from '../../oidc/standard_claims.ts';

/** What the protocol asks, in the engine's words. */
export const demandOf = (request: AuthorizationRequest, client: Client): Demand => ({
  interactive: !request.prompt.includes('none'),
  fresh: request.prompt.includes('login'),
  maxAgeSeconds: request.maxAgeSeconds,
  subject: request.subject,
  hint: request.loginHint,
  selectAccount: request.prompt.includes('select_account'),
  acr: request.acr,
  consent: consentOf(request, client),
});

/** A client that needs none (first party, by its operator's word) is still asked for where the request insists. */
function consentOf(request: AuthorizationRequest, client: Client): ConsentDemand | null {
  const insisted = request.prompt.includes('consent');
  const assured = isAssured(client, request.target.redirectUri);
  if (client.consent === 'never' && !insisted && assured) return null;
  const { logo_uri, policy_uri, tos_uri } = client.metadata;
  return {
    audience: client.clientId,
    audienceName: client.name,
    logoUri: logo_uri ?? null,
    policyUri: policy_uri ?? null,
    termsUri: tos_uri ?? null,
    items: itemsOf(request, client),
    force: insisted || client.consent === 'always',
    assured,
  };
}

/**
 * A claim asked for by name is consented to like the scope that releases it; a resource that no operator gave the client is
 * consented to by its name, each for itself (RFC 8707 §2).
 */
function itemsOf({ scope, claims, audience }: AuthorizationRequest, { introduced }: Client): readonly string[] {
  const open = introduced?.resources ?? [];
  const named = scopesOfClaims([...claims.userinfo, ...claims.idToken]);
  const resources = audience.filter((resource) => isOneOf(resource, open)).map(resourceItem);
  return [...new Set([...scope, ...named, ...resources])];
}

/** RFC 8252 §8.6: anything on a device can claim a loopback port or a private-use scheme, so consent is not silent there. */
const isAssured = (client: Client, redirectUri: string): boolean =>
  client.class === 'confidential' || kindOfRedirectUri(redirectUri) === 'https';
