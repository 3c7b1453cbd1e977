import { brandId, type ClientId } from '../../core/ids.ts';
import { type Overrides, resolveSettings } from '../../core/overrides.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import { acrValuesSupported } from '../../flow/acr.ts';
import { locales } from '../../login/index.ts';
import { classifyClient } from '../../oidc/client_class.ts';
import { metadata } from '../../oidc/discovery.ts';
import { becomesAnother, refusalsOf, toRegistered, withDefaults } from '../../oidc/registration/index.ts';
import { scopeTokens } from '../../oidc/scope.ts';
import type { ClientChange, ClientRecord, NewClient } from '../../store/clients.ts';
import type { RealmRecord } from '../../store/realms.ts';
import type { Refused } from '../administration.ts';
import { checkRegistration } from '../client/registration.ts';
import { clientMembers, explainClientRefusal } from '../client/view.ts';
import type { ChangeAtOnce } from '../deps.ts';
import { type ClientEntry, registrationOf } from './document.ts';
import { changedMembers, type Step } from './plan.ts';
import { readOverrides } from './realm.ts';

export type WantedClient = {
  readonly entry: ClientEntry;
  /** SHA-256 of the secrets that the document gives; null: it gives none. */
  readonly secretHashes: readonly Uint8Array[] | null;
};

export type ClientPlace = {
  readonly realm: RealmRecord;
  readonly system: Overrides;
  readonly publicUrl: string | null;
  readonly now: Instant;
};

/** The client becomes what the document says: members that are left out take their defaults, its secrets stay. */
export async function applyClient(
  { clients }: ChangeAtOnce,
  { entry, secretHashes }: WantedClient,
  place: ClientPlace,
): Promise<Result<Step, Refused>> {
  const { realm, now } = place;
  const { client, faults } = draftOf(entry, place);
  const before = await clients.show(realm.id, entry.client_id);
  const usesSecret = client.authMethod.startsWith('client_secret_');
  const all = [...faults, ...secretFaults(client.authMethod, secretHashes, before)];
  if (all.length > 0) return err(all);
  const enabled = entry.enabled ?? true;
  const step = { subject: 'client', realm: realm.slug, name: entry.client_id } as const;
  if (before === null) {
    const created = await clients.create(client, { withSecret: false, secretHashes: secretHashes ?? [] }, now);
    if (!created.ok) return err(explainClientRefusal(created.error));
    if (!enabled) await clients.update(realm.id, entry.client_id, () => ok({ enabled }), now);
    return ok({ ...step, action: 'create', members: [] });
  }
  const wantedHashes = usesSecret ? secretHashes : [];
  const changesSecrets = wantedHashes !== null && !sameHashes(before, wantedHashes, now);
  const changed = changedMembers(
    clientMembers(before),
    clientMembers({ ...client, enabled, isSelfRegistered: before.isSelfRegistered }),
  );
  const members = [...changed, ...(changesSecrets ? ['client_secret'] : [])];
  if (members.length === 0) return ok({ ...step, action: 'unchanged', members });
  const { realmId: _, clientId: __, ...columns } = client;
  const change = (): Result<ClientChange, never> => ok({ ...columns, enabled });
  const updated = await clients.update(realm.id, entry.client_id, change, now);
  if (!updated.ok) return err(explainClientRefusal(updated.error));
  if (changesSecrets) await clients.setSecrets(realm.id, entry.client_id, wantedHashes, now);
  if (becomesAnother(before, client)) await clients.endEverything(realm.id, entry.client_id);
  return ok({ ...step, action: 'change', members });
}

/** RFC 7591 §2 for what is not said, then the rules of registration and of the client's class, all of them. */
function draftOf(
  entry: ClientEntry,
  { realm, system, publicUrl, now }: ClientPlace,
): { readonly client: NewClient; readonly faults: Refused } {
  const sent = withDefaults({
    ...(entry.class === 'public' ? { token_endpoint_auth_method: 'none' } : {}),
    ...registrationOf(entry),
  });
  const overrides = readOverrides(entry.settings ?? {});
  const layers = { system, realm: realm.overrides };
  const settings = resolveSettings({ ...layers, client: overrides }, now);
  const isInteractive = sent.response_types.length > 0;
  const client: NewClient = {
    ...toRegistered(sent, classifyClient(entry.class ?? null, sent.token_endpoint_auth_method), {
      clientId: entry.client_id,
      scope: scopeTokens(sent.scope ?? (isInteractive ? 'openid profile email' : '')),
    }),
    realmId: realm.id,
    clientId: brandId<ClientId>(entry.client_id),
    resources: entry.resources ?? [],
    introspects: entry.introspects ?? [],
    consent: entry.consent ?? 'remembered',
    overrides,
  };
  const ofClass = checkRegistration(client, layers, now);
  const served = metadata({ issuer: publicUrl ?? '', settings }, acrValuesSupported, locales);
  const ofRegistration = refusalsOf(sent, served)
    .filter(({ parameter }) => !ofClass.some((line) => line.startsWith(`${parameter}: `)))
    .map(({ parameter, description }) => `${parameter}: ${description.slice(`${parameter} `.length)}`);
  return { client, faults: [...ofClass, ...ofRegistration] };
}

function secretFaults(method: string, hashes: readonly Uint8Array[] | null, before: ClientRecord | null): Refused {
  if (method === 'client_secret_jwt' && (hashes !== null || before?.authMethod !== method)) {
    return [
      'client_secret: that of client_secret_jwt is made and kept by this server; use `limen client create`, which shows it',
    ];
  }
  if (!method.startsWith('client_secret_'))
    return hashes === null ? [] : ['client_secret: this client does not authenticate with a secret'];
  if (hashes !== null || (before !== null && before.secrets.length > 0)) return [];
  return [
    'client_secret: is missing; give {"environment": "<name>"}, {"file": "<path>"} or client_secret_sha256 (`limen secrets generate` makes a secret)',
  ];
}

/** Those that are valid for ever, whatever their order: one that is running out was replaced. */
function sameHashes({ secrets }: ClientRecord, wanted: readonly Uint8Array[], now: Instant): boolean {
  const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');
  const valid = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ hash }) => hex(hash));
  return changedMembers({ all: valid.toSorted() }, { all: wanted.map(hex).toSorted() }).length === 0;
}
