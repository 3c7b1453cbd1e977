import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { effective } from '../core/overrides.ts';
import { unreachable } from '../core/result.ts';
import { type SettingKey, settingKeys, settings } from '../core/settings.ts';
import type { Instant } from '../core/time.ts';
import { refusal } from '../oidc/errors.ts';
import { type Answer, document, forbidden, malformed, notAccepted, nothingHere, refused } from './answer.ts';
import type { AdministeredRealm, AdminPorts } from './ports.ts';
import type { AdminRequest, AdminRoute } from './route.ts';

export type SettingDocument = {
  readonly value: unknown;
  readonly from: string;
  readonly reason: string | null;
  readonly expires_at: string | null;
};

export type SettingsDocument = {
  readonly realm: string;
  readonly settings: { readonly [key: string]: SettingDocument & { readonly sentence: string } };
};

export type ChangedSettingDocument = SettingDocument & {
  readonly realm: string;
  readonly key: string;
  /** In force in every process within so many seconds. */
  readonly in_force_within_seconds: number;
};

const newOverride = Type.Object(
  {
    value: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    expires_at: Type.Optional(
      Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$' }),
    ),
  },
  { additionalProperties: false },
);

const path = '/realms/:realm/settings';

export const showSettings: AdminRoute = {
  method: 'GET',
  path,
  needs: 'settings.read',
  summary: 'Every setting in force in a realm, with the layer it comes from and the reason.',
  handle: (ports, request) =>
    inRealm(ports, request, async (realm) => {
      const shown = settingKeys.map((key) => [
        key,
        { ...settingDocument(ports, realm, key, request.now), sentence: settings[key].sentence },
      ]);
      return document({ realm: realm.slug, settings: Object.fromEntries(shown) } satisfies SettingsDocument);
    }),
};

export const putSetting: AdminRoute = {
  method: 'PUT',
  path: `${path}/:key`,
  needs: 'settings.write',
  summary: 'Override a setting for a realm, by the rules of the command line: what is weaker needs a reason.',
  body: newOverride,
  handle: (ports, request) =>
    inRealm(ports, request, async (realm) => {
      const { value, reason, expires_at } = readOverride(request.body);
      const expiresAt = expires_at === undefined ? undefined : Date.parse(expires_at);
      if (Number.isNaN(expiresAt)) return refused(malformed, { faults: ['expires_at: there is no such date'] });
      return change(ports, request, realm, {
        value,
        ...(reason === undefined ? {} : { reason }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
    }),
};

export const deleteSetting: AdminRoute = {
  method: 'DELETE',
  path: `${path}/:key`,
  needs: 'settings.write',
  summary: 'Take a realm’s override away: the layer above is in force again.',
  handle: (ports, request) => inRealm(ports, request, (realm) => change(ports, request, realm, null)),
};

const noPermission = refusal('access_denied', 'the caller has no permission for this realm', 'admin permission');

/** Who may not touch a realm does not learn whether there is one. */
async function inRealm(
  ports: AdminPorts,
  { parameters, reach }: AdminRequest,
  work: (realm: AdministeredRealm) => Promise<Answer>,
): Promise<Answer> {
  const realm = (await ports.realms()).find(({ slug }) => slug === parameters['realm']);
  if (!reach.everywhere && (realm === undefined || !reach.realmIds.includes(realm.id))) return forbidden(noPermission);
  return realm === undefined ? refused(nothingHere, { status: 404 }) : work(realm);
}

async function change(
  ports: AdminPorts,
  { parameters, caller, peer, now }: AdminRequest,
  realm: AdministeredRealm,
  override: Parameters<AdminPorts['changeSetting']>[0]['override'],
): Promise<Answer> {
  const key = settingKeys.find((known) => known === parameters['key']);
  if (key === undefined) return refused(nothingHere, { status: 404 });
  const { address } = peer;
  const changed = await ports.changeSetting({
    slug: realm.slug,
    realmId: realm.id,
    key,
    override,
    caller,
    address,
    now,
  });
  if (!changed.ok) return refused(notAccepted, { faults: changed.error });
  return document({
    realm: realm.slug,
    key,
    ...settingDocument(ports, changed.value, key, now),
    in_force_within_seconds: ports.inForceWithinSeconds,
  } satisfies ChangedSettingDocument);
}

function settingDocument(
  { system }: AdminPorts,
  realm: AdministeredRealm,
  key: SettingKey,
  now: Instant,
): SettingDocument {
  const { value, from, reason, expiresAt } = effective(key, { system, realm: realm.overrides }, now);
  return { value, from, reason, expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString() };
}

const readOverride = (body: unknown): Static<typeof newOverride> =>
  Value.Check(newOverride, body) ? body : unreachable('the body was checked before the handler');
