import { adminPath } from './admin/index.ts';
import { wireAdmin } from './app_admin.ts';
import {
  clientDocumentsPort,
  clientKeysPort,
  fetchJsonPort,
  fetchRequestObjectPort,
  openOutbound,
  postFormPort,
} from './app_outbound.ts';
import { addressMatcher } from './config/address_range.ts';
import type { ConfigWith } from './config.ts';
import { newId } from './core/ids.ts';
import { KeyRing } from './core/key_ring.ts';
import type { Log } from './core/log.ts';
import { resolveSettings } from './core/overrides.ts';
import type { Clock } from './core/time.ts';
import { signerOf } from './endpoints/dependencies.ts';
import { createEndpoints } from './endpoints/index.ts';
import type { RunDocuments, Sessions, VerifyPassword } from './endpoints/interaction/ports.ts';
import { ClientDocumentUnavailable, createMetadataClients } from './endpoints/metadata_clients.ts';
import { acrValuesSupported } from './flow/acr.ts';
import { locales, renderPage } from './login/index.ts';
import { type BackchannelLogout, prepareLogout } from './oidc/logout/index.ts';
import { createAccount } from './store/account.ts';
import { createAudit } from './store/audit.ts';
import { createAuditChain } from './store/audit_chain.ts';
import { createAuthSessions } from './store/auth_sessions.ts';
import { openClientSecret } from './store/client_secrets.ts';
import { ConfigurationCache } from './store/configuration.ts';
import { createConsents } from './store/consents.ts';
import { type Database, openDatabase } from './store/database.ts';
import { createDeviceAuthorizations } from './store/device_authorizations.ts';
import { createFamilies } from './store/families.ts';
import { isPassing } from './store/fault.ts';
import { createKnownDevices } from './store/known_devices.ts';
import { createLockouts } from './store/lockout.ts';
import { createLogoutDeliveries } from './store/logout_deliveries.ts';
import { createPartitions, partitionedTablesFor } from './store/partitions.ts';
import { createProcesses } from './store/processes.ts';
import { createRealms } from './store/realms.ts';
import { createRefusals } from './store/refusals.ts';
import { createRegistrations } from './store/registrations.ts';
import { createSeenProofs } from './store/seen_proofs.ts';
import { isSigningAlgorithm } from './store/signer.ts';
import { createSigningKeys } from './store/signing_keys.ts';
import { createSsoSessions } from './store/sso_sessions.ts';
import { createUsers } from './store/users.ts';
import {
  createAuditChaining,
  createCleanup,
  createHeartbeat,
  createKeyRotation,
  createLogoutDelivery,
  createRefusalKeeper,
  largestClockDifference,
  startJobs,
} from './workers/index.ts';
import { createPasswordVerification, startHashing, verifyPassword } from './workers/password/index.ts';

export type AppOptions = {
  readonly config: ConfigWith<'databaseUrl' | 'secrets' | 'publicUrl'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Starts a password worker: program and arguments. */
  readonly passwordWorker: readonly string[];
  /** Sees every statement of the token path and of sign-in: for tests that count. */
  readonly onStatement?: (statement: string) => void;
};

export type App = {
  readonly fetch: (request: Request, socketAddress: string | null) => Promise<Response>;
  /** null: ready; else the sentence that says why not. */
  readonly readiness: () => Promise<string | null>;
  readonly stop: () => Promise<void>;
};

/** Of the connections a process may open, this part is kept for sign-ins, so that neither path can starve the other. */
const signInShare = 0.25;

const hashingChildren = 1;
/** A hash takes some 50 ms: a child that says nothing for this long is replaced. */
const stuckMilliseconds = 10_000;

/** One that cannot start leaves nothing open: a pool would keep the process alive after it has said why. */
export async function createApp(options: AppOptions): Promise<App> {
  const pools = openPools(options);
  try {
    return await compose(options, pools);
  } catch (thrown) {
    await Promise.allSettled(Object.values(pools).map((pool) => pool.close()));
    throw thrown;
  }
}

async function compose(options: AppOptions, { tokens, signIn, jobs: background }: Pools): Promise<App> {
  const { config, clock, log } = options;
  const ring = new KeyRing(config.secrets);
  const configuration = new ConfigurationCache({
    database: tokens,
    ring,
    publicUrl: config.publicUrl,
    system: config.settings,
  });
  const processes = createProcesses(tokens);
  const identity = { id: newId(), keyIds: ring.keyIds(), startedAt: clock() };
  const heartbeat = createHeartbeat({
    beat: () => processes.beat(identity),
    confirm: (version, askedAt) => configuration.confirm(version, askedAt),
    ring,
    clock,
    log,
  });
  await heartbeat.run();
  // A ring that cannot open the default realm serves nobody: better said now than with every request.
  await configuration.defaultRealm(clock());
  const audit = createAudit(signIn, clock);
  const lockouts = createLockouts(signIn, audit);
  const partitions = createPartitions(signIn, partitionedTablesFor(config));
  // The last step that may fail, so before the first child is started.
  await partitions.ensure(clock());
  const sessions = createSsoSessions(signIn);
  const logoutDeliveries = createLogoutDeliveries(signIn, audit);
  const registrations = createRegistrations(signIn, audit, ring);
  const consents = createConsents(signIn);
  const devices = createDeviceAuthorizations(signIn);
  const users = createUsers(signIn);
  const knownDevices = createKnownDevices(signIn);
  const hashing = startHashing({ command: options.passwordWorker, children: hashingChildren, stuckMilliseconds });
  const verification = createPasswordVerification({
    users,
    devices: knownDevices,
    lockouts,
    hashing,
    turns: hashingChildren,
  });
  const auditChain = createAuditChain(background, ring, clock);
  const cleanup = createCleanup({
    ensurePartitions: partitions.ensure,
    dropExpiredPartitions: partitions.dropExpired,
    batches: [
      sessions.forgetExpired,
      processes.forgetDead,
      () => lockouts.removeExpired(1000),
      () => knownDevices.removeExpired(1000),
      () => logoutDeliveries.endCutOff(1000),
      () => logoutDeliveries.forgetSettled(1000),
      () => registrations.forgetUnused(500),
      () => devices.forgetExpired(1000),
      () => auditChain.forgetDropped(1000),
    ],
    clock,
  });
  const outbound = openOutbound(config.outbound, log);
  /** For the documents of clients and what they name. */
  const documentOutbound = openOutbound(config.outbound, log);
  const logoutDelivery = createLogoutDelivery({
    ...logoutDeliveries,
    prepare: (notice, now) => prepareLogout(backchannelPort(configuration), notice, now),
    post: postFormPort(outbound),
    clock,
    log,
  });
  const realms = createRealms(signIn, { ring, system: config.settings });
  const signingKeys = createSigningKeys(signIn, ring);
  const keyRotation = createKeyRotation({
    realms: async () =>
      (await realms.list()).map(({ id, slug, overrides }) => ({
        id,
        slug,
        ...resolveSettings({ system: config.settings, realm: overrides }, clock()),
      })),
    due: signingKeys.due,
    rotate: async (realmId, algorithm) =>
      isSigningAlgorithm(algorithm) && (await signingKeys.rotate(realmId, algorithm)).ok,
    forgetOld: signingKeys.forgetOld,
    clock,
    log,
  });
  const refusals = createRefusalKeeper({ write: createRefusals(background).write, clock, log });
  const requestLog = config.refusalDays === 0 ? log : { ...log, keep: refusals.keep };
  const auditChaining = createAuditChaining(auditChain);
  const jobs = startJobs([heartbeat, cleanup, keyRotation, logoutDelivery, auditChaining, refusals], log);
  const readiness = async (): Promise<string | null> => {
    if (!configuration.isFresh(clock())) return 'the configuration could not be confirmed for ten seconds';
    if ((heartbeat.clockDifferenceMilliseconds() ?? 0) > largestClockDifference) return 'the clock is off';
    const short = (await partitions.ahead(clock())).find(({ enough }) => !enough);
    return short === undefined ? null : `partitions of ${short.table} do not reach far enough ahead`;
  };
  const seenProofs = createSeenProofs(tokens);
  const front = createEndpoints({
    publicUrl: config.publicUrl,
    clock,
    log: requestLog,
    ring,
    configuration: methodsOf(configuration),
    metadataClients: createMetadataClients({
      documents: clientDocumentsPort(documentOutbound, clock),
      acrValues: acrValuesSupported,
      uiLocales: locales,
      log,
    }),
    families: createFamilies(tokens, createAudit(tokens, clock)),
    devices,
    spendProof: seenProofs.spend,
    spendProofs: seenProofs.spendAll,
    clientKeys: clientKeysPort(outbound, documentOutbound, clock),
    openClientSecret: openClientSecret(ring),
    fetchRequestObject: fetchRequestObjectPort(outbound),
    userClaims: async (realmId, userId) => (await users.show(realmId, { userId }))?.claims ?? null,
    sessions: { ...sessionsPort(sessions, audit, signIn), ...clientsOfSession(logoutDeliveries) },
    consents,
    registrations,
    fetchJson: fetchJsonPort(outbound),
    runs: createAuthSessions<RunDocuments['request'], NonNullable<RunDocuments['result']>>(signIn, consents, audit),
    knownDevices,
    account: createAccount(signIn, { audit, consents, sessions, users }),
    verifyPassword: passwordPort(verification),
    renderPage,
    acrValues: acrValuesSupported,
    uiLocales: locales,
    isTrustedProxy: addressMatcher(config.trustedProxies),
    isPassing: (thrown) => thrown instanceof ClientDocumentUnavailable || isPassing(thrown),
    operations: operations(readiness),
    mounted: {
      [adminPath]: wireAdmin({ config, clock, log: requestLog, ring, configuration, tokens, signIn, audit }),
    },
  });
  return {
    fetch: front,
    readiness,
    async stop() {
      await jobs.stop();
      await refusals.run().catch((thrown: unknown) => log.warn('job.failed', { job: refusals.name, thrown }));
      await hashing.close();
      await processes.leave(identity.id).catch((thrown: unknown) => log.warn('process.leave_failed', { thrown }));
      await Promise.all([tokens.close(), signIn.close(), background.close()]);
    },
  };
}

/** `jobs`: one connection for what goes on beside requests every second, so that it waits for none of them. */
type Pools = { readonly tokens: Database; readonly signIn: Database; readonly jobs: Database };

function openPools({ config, onStatement }: AppOptions): Pools {
  const connections = Math.max(1, Math.round(config.databaseConnections * signInShare));
  const shared = { url: config.databaseUrl, ...(onStatement === undefined ? {} : { onStatement }) };
  return {
    tokens: openDatabase({
      ...shared,
      connections: Math.max(1, config.databaseConnections - connections - 1),
      applicationName: 'limen tokens',
    }),
    signIn: openDatabase({ ...shared, connections, applicationName: 'limen sign-in' }),
    jobs: openDatabase({ url: config.databaseUrl, connections: 1, applicationName: 'limen jobs' }),
  };
}

/** The cache's methods as plain functions. */
const methodsOf = (configuration: ConfigurationCache) => ({
  isFresh: configuration.isFresh.bind(configuration),
  defaultRealm: configuration.defaultRealm.bind(configuration),
  realmBySlug: configuration.realmBySlug.bind(configuration),
  client: configuration.client.bind(configuration),
  keys: configuration.keys.bind(configuration),
  flowVersion: configuration.flowVersion.bind(configuration),
  deployedFlow: configuration.deployedFlow.bind(configuration),
  clear: configuration.clear.bind(configuration),
});

/** Ending a session and telling of it are one transaction. */
const sessionsPort = (
  sessions: ReturnType<typeof createSsoSessions>,
  audit: ReturnType<typeof createAudit>,
  database: Database,
): Omit<Sessions, 'clientsOf' | 'noteClient'> => ({
  find: sessions.find,
  touch: sessions.touch,
  end: (realmId, session, { address, agent }) =>
    database.transaction(async (executor) => {
      if (!(await sessions.end(realmId, session.id, executor))) return;
      const { userId } = session.user;
      await audit.record({ event: 'session.ended', realmId, userId, sessionId: session.id, address, agent }, executor);
    }),
});

const clientsOfSession = ({ clientsOf, noteClient }: ReturnType<typeof createLogoutDeliveries>) => ({
  clientsOf,
  noteClient,
});

const backchannelPort = (configuration: ConfigurationCache): BackchannelLogout => ({
  realm: (realmId, now) => configuration.realmById(realmId, now),
  client: (realmId, clientId, now) => configuration.client(realmId, clientId, now),
  sign: async (realmId, algorithm, type, claims, now) =>
    signerOf(await configuration.keys(realmId, now), algorithm).sign(type, claims),
});

const passwordPort =
  (verification: ReturnType<typeof createPasswordVerification>): VerifyPassword =>
  async ({ realm, username, password, address, forwarded, agent, deviceHashes, now, signal }) => {
    const verdict = await verifyPassword(verification, {
      realm,
      username,
      password,
      context: { address, forwarded, agent, deviceHashes },
      now,
      signal,
    });
    if (verdict.kind === 'accepted') return { kind: 'accepted', user: verdict.user, at: now };
    return verdict.kind === 'refused'
      ? { kind: 'refused' }
      : { kind: 'busy', retryAfterSeconds: verdict.retryAfterSeconds };
  };

const operations = (readiness: App['readiness']) => ({
  '/livez': async () => new Response('ok\n', { headers: { 'cache-control': 'no-store' } }),
  '/readyz': async () => {
    const reason = await readiness();
    return new Response(`${reason ?? 'ok'}\n`, {
      status: reason === null ? 200 : 503,
      headers: { 'cache-control': 'no-store' },
    });
  },
});
