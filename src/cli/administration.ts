import type { ConfigWith } from '../config.ts';
import { nearestName } from '../core/nearest_name.ts';
import { err, ok, type Result } from '../core/result.ts';
import { DatabaseFault } from '../store/fault.ts';
import type { RealmRecord } from '../store/realms.ts';
import { SealedColumnFault } from '../store/sealed_column.ts';
import type { Option } from './command.ts';
import { configurationFor } from './configuration.ts';
import type { Administration, CliDeps } from './deps.ts';

export const realmOption = {
  type: 'text',
  value: '<slug>',
  sentence: 'The realm; without it, the default realm.',
} as const satisfies Option;

/** What a command ends with: nothing more to say, or lines that say what was refused. */
export type Refused = readonly string[];

/**
 * Opens what a command changes, does the work, closes it. Refusals go to stderr, a line each.
 * @returns the exit code.
 */
export async function administer(
  deps: CliDeps,
  work: (
    administration: Administration,
    config: ConfigWith<'databaseUrl' | 'secrets'>,
  ) => Promise<Result<null, Refused>>,
): Promise<number> {
  const config = configurationFor(deps, ['databaseUrl', 'secrets']);
  if (config === null) return 2;
  const administration = deps.openAdministration(config);
  try {
    const done = await work(administration, config);
    if (done.ok) return 0;
    for (const line of done.error) deps.terminal.err(line);
    return 1;
  } catch (thrown) {
    const line = explain(thrown);
    if (line === null) throw thrown;
    deps.terminal.err(line);
    return 1;
  } finally {
    await administration.close();
  }
}

/** What an operator can mend, said so; null for a bug. */
function explain(thrown: unknown): string | null {
  if (thrown instanceof SealedColumnFault) return `${thrown.message}; \`limen doctor\` says which secret is missing`;
  if (!(thrown instanceof DatabaseFault)) return null;
  if (thrown.code === '42P01' || thrown.code === '42703')
    return 'the database schema is not up to date; run `limen migrate`';
  if (thrown.kind === 'unavailable' || /^(28|3D)/.test(thrown.code)) {
    return `the database cannot be used (${thrown.code}); \`limen doctor\` says why`;
  }
  return null;
}

/** The realm that `--realm` names, or the default realm. */
export async function findRealm(
  { realms }: Administration,
  slug: string | undefined,
): Promise<Result<RealmRecord, Refused>> {
  const all = await realms.list();
  const found = all.find((realm) => (slug === undefined ? realm.isDefault : realm.slug === slug));
  if (found !== undefined) return ok(found);
  if (slug === undefined)
    return err(['there is no default realm; make one with `limen realm create <slug> --default`']);
  const nearest = nearestName(
    slug,
    all.map((realm) => realm.slug),
  );
  return err([`there is no realm "${slug}"${nearest === undefined ? '' : `; did you mean ${nearest}?`}`]);
}
