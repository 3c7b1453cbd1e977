import { err, ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import type { RealmRecord } from '../../store/realms.ts';
import type { Refused } from '../administration.ts';
import type { ChangeAtOnce } from '../deps.ts';
import { explainUserRefusal } from '../user/view.ts';
import type { UserEntry } from './document.ts';
import { changedMembers, type Step } from './plan.ts';

export type WantedUser = {
  readonly entry: UserEntry;
  /** For whoever has no password yet; null: the document gives none. */
  readonly passwordHash: (() => Promise<Secret>) | null;
};

/** A password that a person has is theirs: the document's is for whoever has none. */
export async function applyUser(
  { users }: ChangeAtOnce,
  { entry, passwordHash }: WantedUser,
  realm: RealmRecord,
): Promise<Result<Step, Refused>> {
  const step = { subject: 'user', realm: realm.slug, name: entry.username } as const;
  const before = await users.show(realm.id, { username: entry.username });
  const claims = entry.claims ?? {};
  const enabled = entry.enabled ?? true;
  if (before === null) {
    const created = await users.create({
      realmId: realm.id,
      username: entry.username,
      claims,
      enabled,
      ...(passwordHash === null ? {} : { passwordHash: await passwordHash() }),
    });
    return created.ok ? ok({ ...step, action: 'create', members: [] }) : err(explainUserRefusal(created.error));
  }
  const setsPassword = passwordHash !== null && !before.hasPassword;
  const changed = changedMembers({ claims: before.claims, enabled: before.enabled }, { claims, enabled });
  const members = [...changed, ...(setsPassword ? ['password'] : [])];
  if (members.length === 0) return ok({ ...step, action: 'unchanged', members });
  const updated = await users.update(realm.id, before.id, { claims, enabled });
  if (!updated.ok) return err(explainUserRefusal(updated.error));
  if (setsPassword) await users.setPassword(realm.id, before.id, await passwordHash(), { signOutEverywhere: false });
  return ok({ ...step, action: 'change', members });
}
