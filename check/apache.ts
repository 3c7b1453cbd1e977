import { existsSync } from 'node:fs';
import { isExecutable } from './executable.ts';

/** Apache with `mod_auth_openidc`, and where its modules are. */
export type Apache = { readonly binary: string; readonly modules: string };

const names = ['apache2', 'httpd'] as const;
/** Not on every PATH. */
const folders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/apache2/bin'];

const moduleFolders = [
  '/usr/lib/apache2/modules',
  '/usr/lib64/httpd/modules',
  '/usr/local/apache2/modules',
  '/etc/httpd/modules',
];

/** The server is found as any program is; `mod_auth_openidc` has to lie beside its other modules. null: one is not there. */
export function findApache(
  environment: { readonly [name: string]: string | undefined } = process.env,
  places: readonly string[] = moduleFolders,
): Apache | null {
  const onPath = (environment['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  const binary = [...onPath, ...folders]
    .flatMap((folder) => names.map((name) => `${folder}/${name}`))
    .find((path) => isExecutable(path));
  const modules = places.find((folder) => existsSync(`${folder}/mod_auth_openidc.so`));
  return binary === undefined || modules === undefined ? null : { binary, modules };
}
