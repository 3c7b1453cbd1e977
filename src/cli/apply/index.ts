import { err, ok, type Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import type { RealmRecord } from '../../store/realms.ts';
import type { RingPairs } from '../../store/signing_keys.ts';
import { administer, type Refused } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import type { Administration, ChangeAtOnce, CliDeps } from '../deps.ts';
import { answer } from '../output.ts';
import { applyClient, type ClientPlace } from './client.ts';
import { type ClientEntry, readDocument } from './document.ts';
import { isChange, planText, type Step } from './plan.ts';
import { applyRealm } from './realm.ts';
import { applyUser } from './user.ts';
import { readWanted, type WantedRealm } from './wanted.ts';

export const apply = defineCommand({
  name: 'apply',
  summary: 'Make realms, settings, clients and users what a JSON file says. All of it, or nothing.',
  options: {
    file: { type: 'argument', sentence: 'The file (docs/guides/apply.md); - is the standard input.' },
    'dry-run': { type: 'flag', sentence: 'Check everything and show the plan, but write nothing.' },
    prune: {
      type: 'flag',
      sentence:
        'Disable clients that the file leaves out, in realms whose clients it lists, and end what was issued to them.',
    },
    json: jsonOption,
  },
  examples: ['limen apply limen.json --dry-run', 'limen apply limen.json'],
  run: (values, deps) =>
    administer(deps, async (administration, { settings: system, publicUrl }) => {
      const source = await readSource(values.file, deps);
      if (!source.ok) return source;
      const document = readDocument(source.value);
      if (!document.ok) return document;
      const places = { ...deps, documentPath: values.file === '-' ? null : values.file };
      const wanted = await readWanted(document.value, places, administration.hashPassword);
      if (!wanted.ok) return wanted;
      const prepared = await prepare(administration, wanted.value);
      const { 'dry-run': dryRun, prune } = values;
      const applied = await administration.atOnce(async (change) => {
        const value = await applyAll(change, wanted.value, { ...prepared, prune, system, publicUrl, now: deps.now() });
        return { keep: value.ok && value.value.some(isChange) && !dryRun, value };
      });
      if (!applied.ok) return applied;
      answer(
        deps.terminal,
        values.json,
        { dry_run: dryRun, steps: applied.value },
        planText(applied.value, { dryRun }),
      );
      return ok(null);
    }),
});

async function readSource(file: string, { readFile, terminal }: CliDeps): Promise<Result<string, Refused>> {
  if (file === '-') return ok(await terminal.readAll());
  const read = await readFile(file);
  return read.ok ? read : err([`${file} cannot be read (${read.error})`]);
}

type Prepared = { readonly firstKeys: ReadonlyMap<string, RingPairs> };

/**
 * Keys and password hashes for what is missing now: they take long to make, and no other change should have to wait. What
 * turns out to be missing only later is made then.
 */
async function prepare(
  { realms, users, generateFirstKeys }: Administration,
  wanted: readonly WantedRealm[],
): Promise<Prepared> {
  const known = new Map((await realms.list()).map((realm) => [realm.slug, realm]));
  const firstKeys = new Map<string, RingPairs>();
  for (const { entry, users: wantedUsers } of wanted) {
    const realm = known.get(entry.slug);
    if (realm === undefined) firstKeys.set(entry.slug, await generateFirstKeys());
    for (const { entry: user, passwordHash } of wantedUsers) {
      const before = realm === undefined ? null : await users.show(realm.id, { username: user.username });
      if (before?.hasPassword !== true) await passwordHash?.();
    }
  }
  return { firstKeys };
}

/**
 * Not deleted: a client that is made again under the same id would take over what was issued to the former one. Those that
 * registered themselves are nobody's to list, so they stay.
 */
async function disableOthers(
  { clients }: ChangeAtOnce,
  realm: RealmRecord,
  named: readonly ClientEntry[],
  now: Instant,
): Promise<readonly Step[]> {
  const kept = new Set(named.map(({ client_id }) => client_id));
  const own = new Set(await clients.listOwn(realm.id));
  const others = (await clients.list(realm.id))
    .filter(({ clientId, enabled }) => enabled && own.has(clientId) && !kept.has(clientId))
    .map(({ clientId }) => clientId);
  for (const clientId of others) {
    await clients.update(realm.id, clientId, () => ok({ enabled: false }), now);
    await clients.endEverything(realm.id, clientId);
  }
  return others.map((name) => ({ action: 'disable', subject: 'client', realm: realm.slug, name, members: [] }));
}

type Circumstances = Prepared & Omit<ClientPlace, 'realm'> & { readonly prune: boolean };

/** Every step, or every fault: one that is refused hides no other. */
async function applyAll(
  change: ChangeAtOnce,
  wanted: readonly WantedRealm[],
  circumstances: Circumstances,
): Promise<Result<readonly Step[], Refused>> {
  const steps: Step[] = [];
  const faults: string[] = [];
  const note = (path: string, applied: Result<Step, Refused>): void => {
    if (applied.ok) steps.push(applied.value);
    else faults.push(...applied.error.map((line) => `${path}: ${line}`));
  };
  const { firstKeys, prune, ...place } = circumstances;
  for (const [at, { entry, clients, users }] of wanted.entries()) {
    const path = `realms[${at}] (${entry.slug})`;
    const made = await applyRealm(change, entry, firstKeys.get(entry.slug), place.now);
    note(path, made.ok ? ok(made.value.step) : made);
    // One whose own change is refused still shows what else is wrong in it.
    const realm = made.ok ? made.value.realm : await change.realms.show(entry.slug);
    if (realm === null) continue;
    for (const [index, client] of clients.entries()) {
      const name = `${path}.clients[${index}] (${client.entry.client_id})`;
      note(name, await applyClient(change, client, { ...place, realm }));
    }
    for (const [index, user] of users.entries()) {
      note(`${path}.users[${index}] (${user.entry.username})`, await applyUser(change, user, realm));
    }
    if (prune && entry.clients !== undefined)
      steps.push(...(await disableOthers(change, realm, entry.clients, place.now)));
  }
  return faults.length === 0 ? ok(steps) : err(faults);
}
