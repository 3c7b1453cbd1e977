import type { SessionId } from '../../core/ids.ts';
import { appendQuery } from '../authorize/response.ts';
import type { Client } from '../client.ts';
import type { Realm } from '../realm.ts';
import { sidOf } from '../subject.ts';

/**
 * OIDC Front-Channel Logout §2, §3: what the browser is to load so that each client ends its own session. `iss` and `sid`
 * go to those that asked for them, so that nobody else learns of this session.
 */
export const frontchannelLogoutUrls = (
  realm: Realm,
  clients: readonly Pick<Client, 'clientId' | 'metadata'>[],
  sessionId: SessionId,
): readonly string[] =>
  clients.flatMap(({ clientId, metadata }) => {
    const { frontchannel_logout_uri: uri, frontchannel_logout_session_required: isNamed } = metadata;
    if (uri === undefined || !isWebUrl(uri)) return [];
    const names = [['iss', realm.issuer] as const, ['sid', sidOf(realm, clientId, sessionId)] as const];
    return [appendQuery(uri, isNamed === true ? names : [])];
  });

/** What a frame of ours may load, whatever was registered. */
const isWebUrl = (uri: string): boolean => /^https?:$/.test(URL.parse(uri)?.protocol ?? '');
