import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  type Configuration,
  discovery,
  dynamicClientRegistration,
  enableNonRepudiationChecks,
  fetchUserInfo,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  ResponseBodyError,
  refreshTokenGrant,
} from 'openid-client';
import { databaseTimeoutMilliseconds } from '../../database.ts';
import { approve, decide, deviceGrant, reachDecision, registerDevice } from '../../endpoints/device_flow.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { UserAgent } from '../../user_agent.ts';

/** `openid-client` as a device would use it: it polls by itself, at the pace it is told. */

let provider: Provider;
let box: string;

beforeAll(async () => {
  provider = await startProvider({
    environment: { LIMEN_SETTING_DEVICE_POLLING_INTERVAL_SECONDS: '1', LIMEN_SETTING_REGISTRATION: 'open' },
  });
  await registerDevice(provider, 'television');
  const registered = await registerDevice(provider, 'box', {
    class: 'confidential',
    authMethod: 'client_secret_basic',
  });
  box = registered.secret ?? '';
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const execute = [allowInsecureRequests, enableNonRepudiationChecks];
const configure = (clientId: string, authentication: ClientAuth): Promise<Configuration> =>
  discovery(new URL(provider.issuer), clientId, {}, authentication, { execute });

const limit = 20_000;
const scope = 'openid profile offline_access';

async function connect(configuration: Configuration) {
  const begun = await initiateDeviceAuthorization(configuration, { scope });
  expect(begun).toMatchObject({ verification_uri: `${provider.issuer}/device`, expires_in: 600, interval: 1 });
  const polling = pollDeviceAuthorizationGrant(configuration, begun);
  await Bun.sleep(1500);
  await approve(provider.issuer, begun.user_code);
  return polling;
}

describe('a device connects', () => {
  test.each([
    ['television', () => None()],
    ['box', () => ClientSecretBasic(box)],
  ] as const)(
    '%s: pending, then tokens whose ID token, userinfo and refresh the library accepts',
    async (clientId, authentication) => {
      const configuration = await configure(clientId, authentication());
      const tokens = await connect(configuration);
      const claims = tokens.claims();
      expect(claims).toMatchObject({ iss: provider.issuer, aud: clientId });
      const subject = claims?.sub ?? '';
      expect(await fetchUserInfo(configuration, tokens.access_token, subject)).toMatchObject({ name: 'Alice Adler' });
      const refreshed = await refreshTokenGrant(configuration, tokens.refresh_token ?? '');
      expect(refreshed.claims()?.sub).toBe(subject);
    },
    limit,
  );

  test(
    'one that registered itself for nothing else, without any redirect URI',
    async () => {
      const metadata = {
        client_name: 'Kitchen radio',
        grant_types: [deviceGrant, 'refresh_token'],
        response_types: [],
        token_endpoint_auth_method: 'none',
      };
      const registered = await dynamicClientRegistration(new URL(provider.issuer), metadata, None(), { execute });
      const tokens = await connect(registered);
      expect(tokens.claims()?.aud).toBe(registered.clientMetadata().client_id);
    },
    limit,
  );

  test(
    'denied: the library reports access_denied',
    async () => {
      const configuration = await configure('television', None());
      const begun = await initiateDeviceAuthorization(configuration, { scope });
      const agent = new UserAgent();
      await decide(agent, await reachDecision(agent, provider.issuer, begun.user_code), 'deny');
      const thrown: unknown = await pollDeviceAuthorizationGrant(configuration, begun).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(ResponseBodyError);
      expect(thrown).toMatchObject({ error: 'access_denied', status: 400 });
    },
    limit,
  );
});
