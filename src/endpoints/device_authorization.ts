import { type FamilyId, newTimedId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import { TokenBuckets } from '../core/token_bucket.ts';
import type { Client } from '../oidc/client.ts';
import { refuseClient } from '../oidc/client_auth/method.ts';
import { checkDeviceAuthorization, type DeviceAsked } from '../oidc/device/authorization_request.ts';
import { hashOfDeviceCode, sealDeviceCode } from '../oidc/device/device_code.ts';
import { formatUserCode, newUserCode } from '../oidc/device/user_code.ts';
import { devicePath } from '../oidc/discovery.ts';
import { refusal } from '../oidc/errors.ts';
import { familyLifetimeSeconds } from '../oidc/family_lifetime.ts';
import { firstFault } from '../oidc/parameters.ts';
import { json } from './answer.ts';
import { readForm } from './body.ts';
import type { Dependencies } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import { refuse, refuseBody } from './refused.ts';
import { createSenderRate } from './sender_rate.ts';
import { authenticate } from './token.ts';

/** How many devices an address, and a client from everywhere, may begin per process: each is a row for the asking. */
const senderSize = { capacity: 120, refillSeconds: 600 };
const clientSize = { capacity: 6000, refillSeconds: 600 };
const mostClients = 10_000;

const tooMany = refusal('temporarily_unavailable', 'too many devices ask; try again later', 'RFC 8628 §5.2');

/** RFC 8628 §3.1, §3.2. The client authenticates as at the token endpoint. */
export function deviceAuthorizationEndpoint(deps: Dependencies): Handler {
  const senders = createSenderRate(() => senderSize);
  const clients = new TokenBuckets(mostClients);
  return async (exchange) => {
    const { realm, now } = exchange;
    const body = await readForm(exchange.request);
    if (!body.ok) return refuseBody(deps.log, exchange, body.error);
    const fault = firstFault(body.value);
    if (fault !== null) return refuse(deps.log, exchange, fault);
    const authenticated = await authenticate(deps, exchange, body.value);
    if (!authenticated.ok) return refuse(deps.log, exchange, authenticated.error);
    const { client, proof } = authenticated.value;
    const { clientId } = client;
    const asked = checkDeviceAuthorization(body.value, client, realm);
    if (!asked.ok) return refuse(deps.log, exchange, asked.error, { clientId });
    const waitSeconds = senders(exchange) || clients.take(`${realm.id} ${clientId}`, clientSize, now);
    if (waitSeconds > 0) {
      const headers = { 'retry-after': String(waitSeconds) };
      return refuse(deps.log, exchange, tooMany, { clientId, status: 429, headers });
    }
    if (proof !== null && !(await deps.spendProof(proof))) {
      return refuse(deps.log, exchange, refuseClient('RFC 7523 §3'), { clientId });
    }
    return json(await begin(deps, exchange, client, asked.value));
  };
}

async function begin(deps: Dependencies, exchange: Exchange, client: Client, asked: DeviceAsked) {
  const { realm, now, address, agent } = exchange;
  const { clientId } = client;
  const lifetimeSeconds = client.settings.deviceCodeLifetimeSeconds;
  const intervalSeconds = client.settings.devicePollingIntervalSeconds;
  const familyId = newTimedId<FamilyId>(now + familyLifetimeSeconds(realm, client, lifetimeSeconds) * 1000);
  const expiresAt = now + lifetimeSeconds * 1000;
  const deviceCode = sealDeviceCode(deps.ring, realm.id, { familyId, clientId, expiresAt });
  const birth = {
    familyId,
    realmId: realm.id,
    clientId,
    codeHash: hashOfDeviceCode(deviceCode),
    ...asked,
    lifetimeSeconds,
    intervalSeconds,
    presenter: { address, agent },
  };
  const userCode = formatUserCode(await openWithNewCode(deps, birth));
  const verificationUri = realm.issuer + devicePath;
  return {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: verificationUri,
    verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
    expires_in: lifetimeSeconds,
    interval: intervalSeconds,
  };
}

/** Of 25 billion codes two that are alive at once meet rarely, and a few times in a row never. */
async function openWithNewCode(
  { devices }: Dependencies,
  birth: Omit<Parameters<Dependencies['devices']['open']>[0], 'userCode'>,
): Promise<string> {
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const userCode = newUserCode();
    if (await devices.open({ ...birth, userCode })) return userCode;
  }
  return unreachable('every new user code was taken');
}

const mostAttempts = 8;
