import type { RealmId } from '../../core/ids.ts';
import type { Override, Overrides } from '../../core/overrides.ts';
import { err, ok, type Result } from '../../core/result.ts';
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
  change: ChangeAtOnce,
  entry: RealmEntry,
  firstKeys: RingPairs | undefined,
  now: Instant,
): Promise<Result<Done, Refused>> {
  const { realms } = change;
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
    if (entry.flows?.['browser'] === undefined) await change.deployDefaultFlow(created.value.id);
    const flows = await deployFlows(change, created.value.id, entry);
    if (!flows.ok) return flows;
    const disabled = entry.enabled === false ? await realms.update(entry.slug, { enabled: false }, now) : created;
    if (!disabled.ok) return err(explainRealmRefusal(disabled.error));
    return ok({ realm: disabled.value, step: { ...step, action: 'create', members: [] } });
  }
  if (entry.default !== undefined && entry.default !== before.isDefault) {
    return err([`default: is ${before.isDefault}, and which realm is the default realm cannot be changed`]);
  }
  const changed = changedMembers(
    { name: before.name, enabled: before.enabled, settings: before.overrides },
    {
      name: entry.name ?? before.name,
      enabled: entry.enabled ?? before.enabled,
      settings: wanted ?? before.overrides,
    },
  );
  const flows = await deployFlows(change, before.id, entry);
  if (!flows.ok) return flows;
  const members = [...changed, ...flows.value];
  if (changed.length === 0) {
    return ok({ realm: before, step: { ...step, action: members.length === 0 ? 'unchanged' : 'change', members } });
  }
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

/** The members that changed; or every fault of every flow. */
async function deployFlows(
  { deployFlow }: ChangeAtOnce,
  realmId: RealmId,
  { flows = {} }: RealmEntry,
): Promise<Result<readonly string[], Refused>> {
  const changed: string[] = [];
  const faults: string[] = [];
  for (const [purpose, draft] of Object.entries(flows)) {
    const deployed = await deployFlow(realmId, purpose, draft);
    if (!deployed.ok) faults.push(...deployed.error.map((sentence) => `flows.${purpose}: ${sentence}`));
    else if (deployed.value === 'deployed') changed.push(`flows.${purpose}`);
  }
  return faults.length === 0 ? ok(changed) : err(faults);
}

const taken = (overrides: Overrides): { readonly [key: string]: null } =>
  Object.fromEntries(Object.keys(overrides).map((key) => [key, null]));
