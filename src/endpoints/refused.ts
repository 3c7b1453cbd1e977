import type { Log } from '../core/log.ts';
import type { Refusal } from '../oidc/errors.ts';
import type { Exchange } from './exchange.ts';

/** The line by which an operator resolves an error id: rule, parameter, client; never a value that was sent. */
export function logRefusal(log: Log, exchange: Exchange, refusal: Refusal, clientId: string | null = null): void {
  const { errorId, path, realm, address } = exchange;
  const { error, rule, parameter, description } = refusal;
  log.info('request.refused', {
    errorId,
    path,
    realm: realm.slug,
    address,
    clientId,
    error,
    rule,
    parameter,
    description,
  });
}
