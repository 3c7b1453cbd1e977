import type { Config } from '../../config.ts';
import type { CliDeps } from '../deps.ts';
import { type Finding, fail, fine } from './finding.ts';

export async function examineTls(
  { tls }: Pick<Config, 'tls'>,
  readFile: CliDeps['readFile'],
): Promise<readonly Finding[]> {
  if (tls === null) return [];
  const files = [
    ['LIMEN_TLS_CERT_FILE', tls.certificateFile, /-----BEGIN CERTIFICATE-----/],
    ['LIMEN_TLS_KEY_FILE', tls.keyFile, /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/],
  ] as const;
  const findings = await Promise.all(
    files.map(async ([variable, path, pattern]): Promise<readonly Finding[]> => {
      const text = await readFile(path);
      if (!text.ok) return [fail('TLS', `${path} cannot be read (${text.error})`, `mend ${variable}`)];
      return pattern.test(text.value)
        ? []
        : [fail('TLS', `${path} is not the PEM file it should be`, `mend ${variable}`)];
    }),
  );
  const faults = findings.flat();
  return faults.length === 0 ? [fine('TLS', 'both files can be read')] : faults;
}
