import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  ClientSecretBasic,
  type Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  customFetch,
  type DiscoveryRequestOptions,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  refreshTokenGrant,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from 'openid-client';
import { err, ok, type Result } from '../../core/result.ts';
import { type ProviderFault, providerFault } from './provider_fault.ts';

export type RelyingPartyClient = { readonly client_id: string; readonly client_secret?: string | undefined };

/** What is remembered between leaving for the provider and coming back. `state` finds it again. */
export type Attempt = {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly clientId: string;
};

export type Claims = { readonly [name: string]: unknown };

/** A token response whose ID token, if there is one, was verified: signature, issuer, audience, nonce, times. */
export type Tokens = {
  readonly accessToken: string;
  readonly idToken: { readonly jwt: string; readonly claims: Claims } | null;
  readonly refreshToken: string | null;
};

type Answer<Value> = Promise<Result<Value, ProviderFault>>;

/** The provider as one client sees it, through `openid-client`. */
export type Provider = {
  authorizationUrl(attempt: Attempt): Answer<URL>;
  redeem(callback: URL, attempt: Attempt): Answer<Tokens>;
  refresh(refreshToken: string): Answer<Tokens>;
  userinfo(accessToken: string, subject: string): Answer<Claims>;
  /** Where RP-initiated logout begins; `null` if the provider has none. */
  endSessionUrl(idToken: string): Answer<URL | null>;
};

export type ProviderOptions = {
  readonly issuer: string;
  readonly client: RelyingPartyClient;
  readonly baseUrl: string;
  readonly scope: string;
  readonly fetch?: CustomFetch | undefined;
};

const timeoutSeconds = 10;

export function createProvider(options: ProviderOptions): Provider {
  const configuration = lazyConfiguration(options);
  const redirectUri = `${options.baseUrl}/callback`;
  const ask = async <Value>(question: (known: Configuration) => Value | Promise<Value>): Answer<Value> => {
    try {
      return ok(await question(await configuration()));
    } catch (thrown) {
      return err(providerFault(thrown, options.issuer));
    }
  };
  return {
    authorizationUrl: (attempt) =>
      ask(async (known) =>
        buildAuthorizationUrl(known, {
          redirect_uri: redirectUri,
          scope: options.scope,
          state: attempt.state,
          nonce: attempt.nonce,
          code_challenge: await calculatePKCECodeChallenge(attempt.codeVerifier),
          code_challenge_method: 'S256',
        }),
      ),
    redeem: (callback, attempt) =>
      ask(async (known) =>
        readTokens(
          await authorizationCodeGrant(known, callback, {
            expectedState: attempt.state,
            expectedNonce: attempt.nonce,
            pkceCodeVerifier: attempt.codeVerifier,
            idTokenExpected: true,
          }),
        ),
      ),
    refresh: (refreshToken) => ask(async (known) => readTokens(await refreshTokenGrant(known, refreshToken))),
    userinfo: (accessToken, subject) =>
      ask(async (known) => ({ ...(await fetchUserInfo(known, accessToken, subject)) })),
    endSessionUrl: (idToken) =>
      ask((known) =>
        known.serverMetadata().end_session_endpoint === undefined
          ? null
          : buildEndSessionUrl(known, {
              id_token_hint: idToken,
              post_logout_redirect_uri: `${options.baseUrl}/signed-out`,
            }),
      ),
  };
}

/** Discovers on first use, once for all who wait; a failed discovery is forgotten, so the provider may start later. */
function lazyConfiguration(options: ProviderOptions): () => Promise<Configuration> {
  let known: Promise<Configuration> | undefined;
  return () => {
    known ??= discover(options).catch((thrown: unknown) => {
      known = undefined;
      throw thrown;
    });
    return known;
  };
}

function discover({ issuer, client, fetch }: ProviderOptions): Promise<Configuration> {
  const server = new URL(issuer);
  // Without the non-repudiation checks openid-client relies on TLS and leaves the ID token's signature unread.
  const execute = [enableNonRepudiationChecks];
  if (server.protocol === 'http:') execute.push(allowInsecureRequests);
  const request: DiscoveryRequestOptions = { execute, timeout: timeoutSeconds };
  if (fetch !== undefined) request[customFetch] = fetch;
  const authentication = client.client_secret === undefined ? None() : ClientSecretBasic(client.client_secret);
  return discovery(server, client.client_id, {}, authentication, request);
}

function readTokens(response: TokenEndpointResponse & TokenEndpointResponseHelpers): Tokens {
  const claims = response.claims();
  return {
    accessToken: response.access_token,
    idToken: response.id_token === undefined || claims === undefined ? null : { jwt: response.id_token, claims },
    refreshToken: response.refresh_token ?? null,
  };
}
