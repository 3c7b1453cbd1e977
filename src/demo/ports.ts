import { codeOf } from './folder_lock.ts';

/** Both addresses that a browser may take `localhost` for (RFC 6761 §6.3). */
const addresses = ['127.0.0.1', '::1'] as const;

/**
 * Looks before anything is started or written, so that a taken port costs no time and changes nothing. A program that
 * listens at the other address of `localhost` counts too: browsers would be sent to it.
 *
 * @param option that chooses another
 * @returns the sentence that says which port is taken; null: it is free
 */
export function takenPort(port: number, option: string): string | null {
  const isTaken = addresses.some((hostname) => refusal(hostname, port) === 'EADDRINUSE');
  return isTaken
    ? `port ${port} of localhost is taken; choose another with ${option}, or stop what listens there`
    : null;
}

/** Any other reason is told by whoever listens there for good; a machine without IPv6 is none. */
function refusal(hostname: string, port: number): string | undefined {
  try {
    void Bun.serve({ hostname, port, reusePort: false, fetch: () => new Response() }).stop(true);
    return undefined;
  } catch (thrown) {
    return codeOf(thrown);
  }
}
