import { isIP } from 'node:net';
import { isLoopback } from '../../config/public_url.ts';
import type { Config } from '../../config.ts';
import type { CliDeps } from '../deps.ts';
import { type Finding, fail, fine, warn } from './finding.ts';

/** Resolves the host; what stands in front of this process, such as a load balancer, is beyond it. */
export async function examinePublicUrl(
  { publicUrl, tls, trustedProxies }: Pick<Config, 'publicUrl' | 'tls' | 'trustedProxies'>,
  resolveHost: CliDeps['resolveHost'],
): Promise<readonly Finding[]> {
  if (publicUrl === null) return [];
  const { hostname, protocol } = new URL(publicUrl);
  const findings: Finding[] = [];
  if (isLoopback(hostname)) {
    findings.push(
      warn('public URL', `${publicUrl} is this machine only`, 'set LIMEN_PUBLIC_URL before others sign in'),
    );
  } else if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) {
    findings.push(warn('public URL', `${publicUrl} is an address, which passkeys cannot use`, 'give it a host name'));
  } else {
    const addresses = await resolveHost(hostname);
    findings.push(
      addresses.length === 0
        ? fail('public URL', `${hostname} has no address here`, 'mend its DNS, or LIMEN_PUBLIC_URL')
        : fine('public URL', `${publicUrl} → ${addresses.join(', ')}`),
    );
  }
  if (tls !== null && protocol === 'http:') {
    findings.push(warn('public URL', 'it says http, but this process serves TLS', 'set LIMEN_PUBLIC_URL to https'));
  }
  if (tls === null && protocol === 'https:' && trustedProxies.length === 0) {
    findings.push(
      warn(
        'proxies',
        'https without certificate files and without a trusted proxy: every person seems to come from the proxy’s address',
        'set LIMEN_TRUSTED_PROXIES to the proxy’s address, or LIMEN_TLS_CERT_FILE and LIMEN_TLS_KEY_FILE',
      ),
    );
  }
  return findings;
}
