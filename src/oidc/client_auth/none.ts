import { ok } from '../../core/result.ts';
import type { ClientAuthMethod } from './method.ts';

/** Public clients only name themselves (RFC 6749 §3.2.1); PKCE binds their codes. */
export const none: ClientAuthMethod<null> = {
  name: 'none',
  forClass: 'public',
  read({ client_id, authorization, ...credentials }) {
    const shows = authorization !== null || Object.values(credentials).some((credential) => credential !== undefined);
    return client_id === undefined || shows ? 'absent' : ok({ clientId: client_id, credentials: null });
  },
  verify: () => ok({ proof: null }),
};
