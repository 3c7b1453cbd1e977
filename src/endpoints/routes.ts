import { checkSessionPath, devicePath, endpointPaths, registrationPath } from '../oidc/discovery.ts';
import { accountEndpoint } from './account/index.ts';
import { authorizeEndpoint } from './authorize.ts';
import { checkSessionEndpoint } from './check_session.ts';
import type { Dependencies } from './dependencies.ts';
import { devicePageEndpoint } from './device.ts';
import { deviceAuthorizationEndpoint } from './device_authorization.ts';
import type { Handler } from './exchange.ts';
import { accountPath } from './interaction/destination.ts';
import { createInteraction } from './interaction/index.ts';
import { introspectEndpoint } from './introspect.ts';
import { logoutEndpoint } from './logout.ts';
import { jwksEndpoint, metadataEndpoint } from './metadata.ts';
import { createVerifyAccessToken } from './own_token.ts';
import { registration } from './register.ts';
import { revokeEndpoint } from './revoke.ts';
import { tokenEndpoint } from './token.ts';
import { userinfoEndpoint } from './userinfo.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export type Route = {
  /** Below the issuer. `:handle` is the one path parameter. */
  readonly path: string;
  readonly methods: { readonly [Name in Method]?: Handler };
  /** Whether pages of any origin may call it (without credentials; Fetch §3.2). */
  readonly cors: boolean;
  /** false: served from old configuration too, rather than not at all. */
  readonly needsFreshConfiguration: boolean;
};

/** Every endpoint of an issuer, once. */
export function routes(deps: Dependencies): readonly Route[] {
  const interaction = createInteraction(deps);
  const verify = createVerifyAccessToken(deps);
  const metadata = metadataEndpoint(deps);
  const authorize = authorizeEndpoint(deps, interaction);
  const userinfo = userinfoEndpoint(deps, verify);
  const logout = logoutEndpoint(deps);
  const device = devicePageEndpoint(deps, interaction);
  const account = accountEndpoint(deps, interaction);
  const { register, show, replace, remove } = registration(deps);
  const fresh = { cors: false, needsFreshConfiguration: true };
  const open = { cors: true, needsFreshConfiguration: true };
  const document = { cors: true, needsFreshConfiguration: false };
  return [
    { path: '/.well-known/openid-configuration', methods: { GET: metadata }, ...document },
    { path: '/jwks', methods: { GET: jwksEndpoint() }, ...document },
    { path: '/authorize', methods: { GET: authorize, POST: authorize }, ...fresh },
    { path: '/run/:handle', methods: { GET: interaction.show, POST: interaction.submit }, ...fresh },
    { path: '/token', methods: { POST: tokenEndpoint(deps, verify) }, ...open },
    {
      path: endpointPaths.device_authorization_endpoint,
      methods: { POST: deviceAuthorizationEndpoint(deps) },
      ...open,
    },
    { path: devicePath, methods: { GET: device, POST: device }, ...fresh },
    { path: '/userinfo', methods: { GET: userinfo, POST: userinfo }, ...open },
    { path: '/introspect', methods: { POST: introspectEndpoint(deps, verify) }, ...fresh },
    { path: '/revoke', methods: { POST: revokeEndpoint(deps, verify) }, ...open },
    { path: '/logout', methods: { GET: logout, POST: logout }, ...fresh },
    { path: accountPath, methods: { GET: account.show, POST: account.change }, ...fresh },
    { path: registrationPath, methods: { POST: register }, ...open },
    { path: `${registrationPath}/:handle`, methods: { GET: show, PUT: replace, DELETE: remove }, ...fresh },
    { path: checkSessionPath, methods: { GET: checkSessionEndpoint(deps) }, ...fresh },
  ];
}

/** RFC 8414 §3.1 puts its document between host and path: `/.well-known/oauth-authorization-server/realms/{slug}`. */
export const authorizationServerMetadata = '/.well-known/oauth-authorization-server';
