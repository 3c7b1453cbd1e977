import { dirname, resolve } from 'node:path';
import { err, ok, type Result } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';
import type { CliDeps } from '../deps.ts';
import type { SecretSource } from './document.ts';

export type SecretPlaces = Pick<CliDeps, 'environment' | 'readFile'> & {
  /** The document's own path: files are named from its folder; null: it came from the standard input. */
  readonly documentPath: string | null;
};

/** The secret that a document names, without the line break that ends a file; or why it cannot be had. */
export async function readSecretSource(source: SecretSource, places: SecretPlaces): Promise<Result<Secret, string>> {
  if ('environment' in source) {
    const value = places.environment[source.environment] ?? '';
    return value === ''
      ? err(`the environment variable ${source.environment} is not set; set it for this command`)
      : ok(new Secret(value));
  }
  const folder = places.documentPath === null ? '.' : dirname(places.documentPath);
  const read = await places.readFile(resolve(folder, source.file));
  if (!read.ok) return err(`the file ${source.file} cannot be read (${read.error})`);
  const value = read.value.replace(/\r?\n$/, '');
  return value === '' ? err(`the file ${source.file} is empty`) : ok(new Secret(value));
}
