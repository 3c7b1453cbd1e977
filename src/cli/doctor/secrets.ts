import type { Config } from '../../config.ts';
import { KeyRing } from '../../core/key_ring.ts';
import type { Inspection } from '../../store/inspection.ts';
import { type Finding, fail, fine, warn } from './finding.ts';

/** More entries than a rotation needs are more that can leak. */
const mostEntries = 3;

export function examineSecrets({ secrets }: Pick<Config, 'secrets'>, schema: Inspection['schema']): readonly Finding[] {
  if (secrets.length === 0) return [];
  const ring = new KeyRing(secrets);
  const findings: Finding[] = [
    secrets.length > mostEntries
      ? warn('secrets', `${secrets.length} entries`, 'take out old entries once nothing depends on them')
      : fine('secrets', `${secrets.length} of 256 bits, newest ${ring.newest().keyId}`),
  ];
  const typedByHand = secrets.findIndex((secret) => secret.reveal().every((byte) => byte >= 0x20 && byte < 0x7f));
  if (typedByHand !== -1) {
    findings.push(
      warn(
        'secrets',
        `entry ${typedByHand + 1} decodes to plain text, so it was not made at random`,
        'put a new one from `limen secrets generate` before it',
      ),
    );
  }
  const missing = (schema?.sealingKeyIds ?? []).filter((keyId) => ring.find(keyId) === undefined);
  if (missing.length > 0) {
    findings.push(
      fail(
        'secrets',
        `the database holds what entry ${missing.join(', ')} sealed, which LIMEN_SECRETS lacks`,
        'add the former secret again, after the newest',
      ),
    );
  }
  return findings;
}
