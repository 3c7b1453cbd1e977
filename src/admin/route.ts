import type { TSchema } from '@sinclair/typebox';
import type { Instant } from '../core/time.ts';
import type { Action } from './actions.ts';
import type { Answer } from './answer.ts';
import type { AdminPorts, Caller, Peer, Reach } from './ports.ts';

export type AdminMethod = 'GET' | 'PUT' | 'DELETE';

/** A request whose caller is known and may do what the route needs somewhere. */
export type AdminRequest = {
  readonly caller: Caller;
  /** Where: never empty. */
  readonly reach: Reach;
  readonly parameters: { readonly [name: string]: string };
  readonly body: unknown;
  readonly peer: Peer;
  readonly now: Instant;
};

/** One row of `routes.ts`. There is no way to mount one without its guard: the one that mounts them reads it from here. */
export type AdminRoute = {
  readonly method: AdminMethod;
  /** Below `/admin/api/v1`. */
  readonly path: string;
  /** Who may: holders of a permission for this action. */
  readonly needs: Action;
  readonly summary: string;
  readonly body?: TSchema;
  readonly handle: (ports: AdminPorts, request: AdminRequest) => Promise<Answer>;
};
