import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** The public authorities and those of the operator. Throws where the PEM is not certificates; see `certificatesFault`. */
export function createTrust(extraCertificates: string | null): SecureContext {
  // Named one by one: a list given as `ca` replaces what the environment would add to it.
  const extra = extraCertificates === null ? [] : [extraCertificates];
  return createSecureContext({ ca: [...rootCertificates, ...extra], minVersion: 'TLSv1.2' });
}

/** Why a file with extra authorities cannot be used, or null. */
export function certificatesFault(pem: string): string | null {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) return 'holds no PEM certificate';
  try {
    createTrust(pem);
    return null;
  } catch {
    return 'holds a certificate that cannot be read';
  }
}
