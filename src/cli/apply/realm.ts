import { err, ok, type Result } from '../../core/result.ts';
import type { Override, Overrides } from '../../core/settings.ts';
import type { Instant } from '../../core/time.ts';
import type { RealmRecord } from '../../store/realms.ts';
import type { RingPairs } from '../../store/signing_keys.ts';
import type { Refused } from '../administration.ts';
import type { ChangeAtOnce } from '../deps.ts';
import { explainRealmRefusal } from '../realm/view.ts';
import type { OverridesEntry, RealmEntry } from './document.ts';
import { changedMembers, type Step } from './plan.ts';

/** As the settings table has it: a bare value is one without a reason and without an end. */
export const readOverrides = (entry: OverridesEntry): Overrides =>
  Object.fromEntries(
    Object.entries(entry).map(([key, written]): [string, Override] => {
      if (typeof written !== 'object') return [key, { value: written }];
      const { value, reason, expires_at } = written;
      return [
        key,
        {
          value,
          ...(reason === undefined ? {} : { reason }),
          ...(expires_at === undefined ? {} : { expiresAt: Date.parse(expires_at) }),
        },
      ];
    }),
  );

type Done = { readonly realm: RealmRecord; readonly step: Step };

/** A realm's own members that the document leaves out stay as they are. */
export async function applyRealm(
  { realms, deployDefaultFlow }: ChangeAtOnce,
  entry: RealmEntry,
  firstKeys: RingPairs | undefined,
  now: Instant,
): Promise<Result<Done, Refused>> {
  const all = await realms.list();
  const before = all.find(({ slug }) => slug === entry.slug);
  const wanted = entry.settings === undefined ? undefined : readOverrides(entry.settings);
  const step = { subject: 'realm', realm: entry.slug, name: entry.slug } as const;
  if (before === undefined) {
    const created = await realms.create(
      {
        slug: entry.slug,
        name: entry.name ?? entry.slug,
        isDefault: entry.default ?? all.length === 0,
        overrides: wanted ?? {},
        ...(firstKeys === undefined ? {} : { firstKeys }),
      },
      now,
    );
    if (!created.ok) return err(explainRealmRefusal(created.error));
    await deployDefaultFlow(created.value.id);
    const disabled = entry.enabled === false ? await realms.update(entry.slug, { enabled: false }, now) : created;
    if (!disabled.ok) return err(explainRealmRefusal(disabled.error));
    return ok({ realm: disabled.value, step: { ...step, action: 'create', members: [] } });
  }
  if (entry.default !== undefined && entry.default !== before.isDefault) {
    return err([`default: is ${before.isDefault}, and which realm is the default realm cannot be changed`]);
  }
  const members = changedMembers(
    { name: before.name, enabled: before.enabled, settings: before.overrides },
    {
      name: entry.name ?? before.name,
      enabled: entry.enabled ?? before.enabled,
      settings: wanted ?? before.overrides,
    },
  );
  if (members.length === 0) return ok({ realm: before, step: { ...step, action: 'unchanged', members } });
  const updated = await realms.update(
    entry.slug,
    {
      ...(entry.name === undefined ? {} : { name: entry.name }),
      ...(entry.enabled === undefined ? {} : { enabled: entry.enabled }),
      ...(wanted === undefined ? {} : { overrides: { ...taken(before.overrides), ...wanted } }),
    },
    now,
  );
  if (!updated.ok) return err(explainRealmRefusal(updated.error));
  return ok({ realm: updated.value, step: { ...step, action: 'change', members } });
}

const taken = (overrides: Overrides): { readonly [key: string]: null } =>
  Object.fromEntries(Object.keys(overrides).map((key) => [key, null]));
