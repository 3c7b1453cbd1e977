import { encodeBase64url } from '../core/base64url.ts';
import { equalConstantTime, randomBytes, randomToken, sha256 } from '../core/crypto.ts';
import { brandId, type ClientId } from '../core/ids.ts';
import { err, ok, type Result } from '../core/result.ts';
import { bearerChallenge, readBearerToken } from '../oidc/bearer.ts';
import { clientSecretJwt } from '../oidc/client_auth/client_secret_jwt.ts';
import { metadata } from '../oidc/discovery.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import { registrationDocument } from '../oidc/registration/document.ts';
import {
  becomesAnother,
  checkRegistration,
  type Registration,
  type RegistrationFacts,
} from '../oidc/registration/index.ts';
import type { RegisteredClient, Replacement } from '../oidc/registration/ports.ts';
import { refuseMember } from '../oidc/registration/refusal.ts';
import { checkSectorDocument } from '../oidc/registration/sector.ts';
import { json } from './answer.ts';
import { readJsonObject } from './body.ts';
import type { Dependencies } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import { refuse, refuseBody } from './refused.ts';
import { createSenderRate, type SenderRate } from './sender_rate.ts';

export type RegistrationHandlers = { readonly [Name in 'register' | 'show' | 'replace' | 'remove']: Handler };

const refillSeconds = 60 * 60;

/** RFC 7591 §3, RFC 7592 §2. Nothing of it is there where the realm's setting `registration` is off. */
export function registration(deps: Dependencies): RegistrationHandlers {
  const rate = createSenderRate(({ settings }) => ({ capacity: settings.registrationsPerHour, refillSeconds }));
  const where =
    (handler: Handler): Handler =>
    async (exchange) =>
      exchange.realm.settings.registration === 'off'
        ? refuse(deps.log, exchange, isOff, { status: 404 })
        : handler(exchange);
  return {
    register: where((exchange) => register(deps, rate, exchange)),
    show: where((exchange) => show(deps, exchange)),
    replace: where((exchange) => replace(deps, rate, exchange)),
    remove: where((exchange) => remove(deps, exchange)),
  };
}

const isOff = refusal('access_denied', 'clients do not register themselves here', 'setting registration');
const noToken = refusal('invalid_token', 'an access token for registration is required', 'RFC 7591 §3');
const wrongToken = refusal('invalid_token', 'this token gives no access to a registration here', 'RFC 7592 §2');
const tooMany = refusal('temporarily_unavailable', 'too many registrations; try again later', 'RFC 7591 §5');
const isFull = refusal('temporarily_unavailable', 'too many clients wait for their first use', 'RFC 7591 §5');

async function register(deps: Dependencies, rate: SenderRate, exchange: Exchange): Promise<Response> {
  const { realm, now, address, agent } = exchange;
  const token = await initialTokenOf(deps, exchange);
  if (!token.ok) return challenge(deps, exchange, token.error);
  const waitSeconds = token.value === null ? rate(exchange) : 0;
  if (waitSeconds > 0) return slowDown(deps, exchange, waitSeconds);
  const body = await readJsonObject(exchange.request);
  if (!body.ok) return refuseBody(deps.log, exchange, body.error);
  const clientId = brandId<ClientId>(encodeBase64url(randomBytes(16)));
  const checked = await check(deps, exchange, body.value, { clientId, vouched: token.value !== null, current: null });
  if (!checked.ok) return refuse(deps.log, exchange, checked.error);
  const { registered, classification } = checked.value;
  const registrationToken = randomToken();
  const birth = {
    realmId: realm.id,
    clientId,
    registered,
    withSecret: usesSecret(registered.authMethod),
    registrationTokenHash: sha256(registrationToken),
    initialTokenHash: token.value,
    rule: classification.rule,
    presenter: { address, agent },
  };
  const made = await deps.registrations.register(birth, now);
  if (!made.ok) {
    return made.error === 'token_spent'
      ? challenge(deps, exchange, wrongToken)
      : refuse(deps.log, exchange, isFull, { headers: { 'retry-after': '3600' } });
  }
  deps.log.info('client.registered', { realm: realm.slug, clientId, ...classification, vouched: token.value !== null });
  const { client, secret } = made.value;
  const shown = { issuer: realm.issuer, registrationToken, secret: secret?.reveal() ?? null };
  return json(registrationDocument(client, shown), 201);
}

/** The hash of a usable initial access token; null: none was sent and none is needed. */
async function initialTokenOf(
  { registrations }: Dependencies,
  { request, realm }: Exchange,
): Promise<Result<Uint8Array | null, Refusal>> {
  const sent = readBearerToken(request.headers.get('authorization'), null);
  if (!sent.ok) return sent;
  if (sent.value === null) return realm.settings.registration === 'open' ? ok(null) : err(noToken);
  const hash = sha256(sent.value);
  return (await registrations.isInitialToken(realm.id, hash)) ? ok(hash) : err(wrongToken);
}

/** Everything that is decided before anything is stored; the sector document is fetched last (OIDC Registration §5). */
async function check(
  deps: Dependencies,
  { realm }: Exchange,
  document: { readonly [member: string]: unknown },
  facts: Pick<RegistrationFacts, 'clientId' | 'vouched' | 'current'>,
): Promise<Result<Registration, Refusal>> {
  const served = metadata(realm, deps.acrValues, deps.uiLocales);
  const checked = checkRegistration(document, { realm, served, ...facts });
  if (!checked.ok || checked.value.sectorDocumentUrl === null) return checked;
  const fetched = await deps.fetchJson(checked.value.sectorDocumentUrl);
  const sector = checkSectorDocument(fetched, checked.value.registered.redirectUris);
  return sector.ok ? checked : sector;
}

const usesSecret = (authMethod: string): boolean => authMethod.startsWith('client_secret_');

/** RFC 7592 §2.1. */
async function show(deps: Dependencies, exchange: Exchange): Promise<Response> {
  const held = await holderOf(deps, exchange);
  if (!held.ok) return challenge(deps, exchange, held.error);
  const { client, token } = held.value;
  return json(registrationDocument(client, { issuer: exchange.realm.issuer, registrationToken: token, secret: null }));
}

/** RFC 7592 §2.2: what is not sent again is gone. */
async function replace(deps: Dependencies, rate: SenderRate, exchange: Exchange): Promise<Response> {
  const { realm, now, address, agent } = exchange;
  const held = await holderOf(deps, exchange);
  if (!held.ok) return challenge(deps, exchange, held.error);
  const waitSeconds = rate(exchange);
  if (waitSeconds > 0) return slowDown(deps, exchange, waitSeconds);
  const { client: current, token } = held.value;
  const { clientId } = current;
  const body = await readJsonObject(exchange.request);
  if (!body.ok) return refuseBody(deps.log, exchange, body.error);
  const own = refuseServerMembers(body.value, current, now);
  if (own !== null) return refuse(deps.log, exchange, own, { clientId });
  const checked = await check(deps, exchange, body.value, { clientId, vouched: false, current });
  if (!checked.ok) return refuse(deps.log, exchange, checked.error, { clientId });
  const { registered } = checked.value;
  const change = secretChange(current.authMethod, registered.authMethod);
  const replaced = await deps.registrations.replace(
    {
      realmId: realm.id,
      clientId,
      registered,
      registrationTokenHash: current.registrationTokenHash,
      secret: change,
      endsEverything: becomesAnother(current, registered),
      presenter: { address, agent },
    },
    now,
  );
  if (replaced === null) return challenge(deps, exchange, wrongToken);
  deps.configuration.clear();
  const kept = change === 'keep' ? body.value['client_secret'] : undefined;
  const secret = replaced.secret?.reveal() ?? (typeof kept === 'string' ? kept : null);
  return json(registrationDocument(replaced.client, { issuer: realm.issuer, registrationToken: token, secret }));
}

/** RFC 7592 §2.2: the id must be sent and the secret may be, both as they are; the rest of what we say is not the client's. */
function refuseServerMembers(
  sent: { readonly [member: string]: unknown },
  { clientId, secrets }: RegisteredClient,
  now: number,
): Refusal | null {
  const rule = 'RFC 7592 §2.2';
  if (sent['client_id'] !== clientId) return refuseMember('client_id', 'must be the one of this registration', rule);
  const foreign = [
    'registration_access_token',
    'registration_client_uri',
    'client_secret_expires_at',
    'client_id_issued_at',
  ].find((member) => sent[member] !== undefined);
  if (foreign !== undefined) return refuseMember(foreign, 'must not be sent', rule);
  const secret = sent['client_secret'];
  if (secret === undefined) return null;
  const hash = sha256(typeof secret === 'string' ? secret : '');
  const isOurs = secrets.some(
    (known) => equalConstantTime(known.hash, hash) && (known.expiresAt === null || known.expiresAt > now),
  );
  return isOurs ? null : refuseMember('client_secret', 'is not the one of this client', rule);
}

/**
 * A client that begins to authenticate with a secret gets one; one that no longer does loses it. Of a former one there may
 * be the hash alone, which is not enough to compute with.
 */
function secretChange(former: string, next: string): Replacement['secret'] {
  if (!usesSecret(next)) return 'none';
  return usesSecret(former) && (next !== clientSecretJwt.name || former === next) ? 'keep' : 'new';
}

/** RFC 7592 §2.3. What was issued dies with it: no endpoint of ours answers a token whose client is unknown. */
async function remove(deps: Dependencies, exchange: Exchange): Promise<Response> {
  const held = await holderOf(deps, exchange);
  if (!held.ok) return challenge(deps, exchange, held.error);
  const { clientId, realmId, registrationTokenHash } = held.value.client;
  const presenter = { address: exchange.address, agent: exchange.agent };
  const gone = await deps.registrations.remove({ realmId, clientId, registrationTokenHash, presenter });
  if (!gone) return challenge(deps, exchange, wrongToken);
  deps.configuration.clear();
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } });
}

type Holder = { readonly client: RegisteredClient; readonly token: string };

/** RFC 7592 §2: one answer for a wrong token, another client's and a client that is gone or disabled. */
async function holderOf(deps: Dependencies, { request, realm, handle }: Exchange): Promise<Result<Holder, Refusal>> {
  const sent = readBearerToken(request.headers.get('authorization'), null);
  if (!sent.ok) return sent;
  if (sent.value === null) return err(noToken);
  const client = await deps.registrations.find(realm.id, handle ?? '');
  if (client === null || !client.enabled) return err(wrongToken);
  return equalConstantTime(client.registrationTokenHash, sha256(sent.value))
    ? ok({ client, token: sent.value })
    : err(wrongToken);
}

/** RFC 6750 §3.1: without a token no error is told in the challenge. */
const challenge = ({ log }: Dependencies, exchange: Exchange, refused: Refusal): Response =>
  refuse(log, exchange, refused, {
    headers: { 'www-authenticate': bearerChallenge(exchange.realm.issuer, refused === noToken ? null : refused) },
  });

/** RFC 6585 §4. */
const slowDown = ({ log }: Dependencies, exchange: Exchange, waitSeconds: number): Response =>
  refuse(log, exchange, tooMany, { status: 429, headers: { 'retry-after': String(waitSeconds) } });
