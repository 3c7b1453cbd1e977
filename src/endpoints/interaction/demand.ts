import { resourceItem } from '../../flow/consent_item.ts';
import type { ConsentDemand, Demand } from '../../flow/run.ts';
import { defaultAcr } from '../../oidc/authorize/acr_values.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { kindOfRedirectUri } from '../../oidc/authorize/redirect_uri.ts';
import { isOneOf } from '../../oidc/authorize/resource.ts';
import type { Client } from '../../oidc/client.ts';
import { scopesOfClaims } from '../../oidc/standard_claims.ts';
import type { AccountRequest, Destination, DeviceRequest } from './destination.ts';

/** What the destination asks of a sign-in, in the engine's words. */
export function demandFor(destination: Destination): Demand {
  switch (destination.kind) {
    case 'client':
      return demandOfClient(destination.request, destination.client);
    case 'device':
      return demandOfDevice(destination.request, destination.client);
    case 'account':
      return demandOfAccount(destination.request);
  }
}

const demandOfClient = (request: AuthorizationRequest, client: Client): Demand => ({
  interactive: !request.prompt.includes('none'),
  fresh: request.prompt.includes('login'),
  maxAgeSeconds: request.maxAgeSeconds,
  subject: request.subject,
  hint: request.loginHint,
  selectAccount: request.prompt.includes('select_account'),
  acr: request.acr,
  consent: consentOf(request, client),
});

/** RFC 8628 §3.3: who holds the device may be anybody, so what was allowed before says nothing. */
const demandOfDevice = (request: DeviceRequest, client: Client): Demand => ({
  interactive: true,
  fresh: false,
  maxAgeSeconds: client.defaultMaxAgeSeconds,
  subject: null,
  hint: null,
  selectAccount: false,
  acr: defaultAcr(client),
  consent: {
    ...audienceOf(client),
    items: itemsOf(request.scope, request, client),
    force: true,
    assured: false,
    device: {
      userCode: request.userCode,
      address: request.address,
      agent: request.agent,
      askedAt: request.receivedAt,
    },
  },
});

const demandOfAccount = ({ again }: AccountRequest): Demand => ({
  interactive: true,
  fresh: again !== null,
  maxAgeSeconds: null,
  subject: again?.userId ?? null,
  hint: again?.username ?? null,
  selectAccount: false,
  acr: { values: [], essential: false },
  consent: null,
});

/** A client that needs none (first party, by its operator's word) is still asked for where the request insists. */
function consentOf(request: AuthorizationRequest, client: Client): ConsentDemand | null {
  const insisted = request.prompt.includes('consent');
  const assured = isAssured(client, request.target.redirectUri);
  if (client.consent === 'never' && !insisted && assured) return null;
  const { claims } = request;
  return {
    ...audienceOf(client),
    // A claim asked for by name is consented to like the scope that releases it.
    items: itemsOf([...request.scope, ...scopesOfClaims([...claims.userinfo, ...claims.idToken])], request, client),
    force: insisted || client.consent === 'always',
    assured,
  };
}

const audienceOf = ({ clientId, name, metadata: { logo_uri, policy_uri, tos_uri } }: Client) => ({
  audience: clientId,
  audienceName: name,
  logoUri: logo_uri ?? null,
  policyUri: policy_uri ?? null,
  termsUri: tos_uri ?? null,
});

/** A resource that no operator gave the client is consented to by its name, each for itself (RFC 8707 §2). */
function itemsOf(
  scope: readonly string[],
  { audience }: Pick<AuthorizationRequest, 'audience'>,
  { introduced }: Client,
): readonly string[] {
  const open = introduced?.resources ?? [];
  return [...new Set([...scope, ...audience.filter((resource) => isOneOf(resource, open)).map(resourceItem)])];
}

/** RFC 8252 §8.6: anything on a device can claim a loopback port or a private-use scheme, so consent is not silent there. */
const isAssured = (client: Client, redirectUri: string): boolean =>
  client.class === 'confidential' || kindOfRedirectUri(redirectUri) === 'https';
