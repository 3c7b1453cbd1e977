import type { Log } from '../core/log.ts';
import type { Refusal } from '../oidc/errors.ts';
import type { NewRefusal } from '../oidc/explanation/index.ts';
import type { Realm } from '../oidc/realm.ts';
import { jsonError } from './answer.ts';
import type { BodyFault } from './body.ts';

/** What is known of a refused request; its realm only once the path has named one. */
export type RefusedRequest = {
  readonly errorId: string;
  readonly path: string;
  readonly address: string;
  readonly realm: Pick<Realm, 'id' | 'slug' | 'issuer'> | null;
};

/** A log that also keeps what an error id stands for, for as long as `limen explain` may be asked. It never waits. */
export type RequestLog = Log & { readonly keep?: (kept: NewRefusal, address: string) => void };

/**
 * The line by which an operator resolves an error id: rule, parameter, client; never a value that was sent. `clientId`:
 * of a client that exists, since anything can be typed into `client_id`.
 */
export function logRefusal(
  log: RequestLog,
  { errorId, path, realm, address }: RefusedRequest,
  { error, rule, parameter, description, clientId: named }: Refusal,
  provedClientId: string | null = null,
): void {
  const clientId = provedClientId ?? named ?? null;
  log.info('request.refused', {
    errorId,
    path,
    realm: realm?.slug ?? null,
    address,
    clientId,
    error,
    rule,
    parameter,
    description,
  });
  const kept = { errorId, realmId: realm?.id ?? null, endpoint: path, clientId, error, rule, parameter, description };
  // A device that waits is told so every few seconds (RFC 8628 §3.5): that would push out what others were told.
  if (error !== 'authorization_pending') log.keep?.({ kind: 'refusal', ...kept }, address);
}

export type RefusalAnswer = {
  readonly clientId?: string | null;
  /** Where HTTP has a status of its own for it; else the error code's. */
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
};

/** Tells the client in JSON and the log in a line, under one id. */
export function refuse(
  log: RequestLog,
  request: RefusedRequest,
  refused: Refusal,
  answer: RefusalAnswer = {},
): Response {
  logRefusal(log, request, refused, answer.clientId);
  return jsonError(refused, request, answer);
}

/** A body that was never read as parameters. */
export const refuseBody = (log: RequestLog, request: RefusedRequest, { status, refusal }: BodyFault): Response =>
  refuse(log, request, refusal, { status });
