import { Type } from '@sinclair/typebox';
import type { SessionId } from '../../core/ids.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { appendQuery } from '../authorize/response.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';
import type { IdTokenHint } from '../id_token_hint.ts';
import { defineParameters } from '../parameters.ts';
import type { Realm } from '../realm.ts';
import { sidOf } from '../subject.ts';

/** OIDC RP-Initiated Logout §2. */
export const logoutParameters = defineParameters(
  Type.Object({
    id_token_hint: Type.Optional(Type.String({ maxLength: 8192 })),
    logout_hint: Type.Optional(Type.String({ maxLength: 512 })),
    client_id: Type.Optional(Type.String({ maxLength: 255 })),
    post_logout_redirect_uri: Type.Optional(Type.String({ maxLength: 2048 })),
    state: Type.Optional(Type.String({ maxLength: 4096 })),
    ui_locales: Type.Optional(Type.String({ maxLength: 256 })),
  }),
);

export type LogoutFacts = {
  readonly realm: Realm;
  /** A verified hint, and the client that it was issued to; null: no usable hint. */
  readonly hint: IdTokenHint | null;
  readonly hintClient: Client | null;
  readonly clientId: string | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  readonly state: string | undefined;
  /** This browser's session; null: nobody is signed in. */
  readonly sessionId: SessionId | null;
};

export type LogoutDecision = {
  /** `sign_out`: the hint names this browser's session. `ask`: someone is signed in and must agree. `nothing`: nobody is. */
  readonly session: 'sign_out' | 'ask' | 'nothing';
  /** Where to go afterwards; null: the signed-out page. */
  readonly returnTo: string | null;
};

/**
 * OIDC RP-Initiated Logout §2, §3: acts unasked only for the session that the hint's `sid` names, and redirects only to a
 * URI registered by the client of a verified hint.
 */
export function decideLogout(facts: LogoutFacts): Result<LogoutDecision, Refusal> {
  const { hint, hintClient, clientId, postLogoutRedirectUri, state, realm, sessionId } = facts;
  if (hint !== null && clientId !== undefined && clientId !== hint.clientId) {
    return err(
      refusal(
        'invalid_request',
        'client_id is not the client of the id_token_hint',
        'OIDC RP-Initiated Logout §2',
        'client_id',
      ),
    );
  }
  const registered =
    hint !== null &&
    hintClient !== null &&
    postLogoutRedirectUri !== undefined &&
    hintClient.postLogoutRedirectUris.includes(postLogoutRedirectUri);
  if (hint !== null && postLogoutRedirectUri !== undefined && !registered) {
    return err(
      refusal(
        'invalid_request',
        'post_logout_redirect_uri is not registered for this client',
        'OIDC RP-Initiated Logout §3',
        'post_logout_redirect_uri',
      ),
    );
  }
  const returnTo = registered
    ? appendQuery(postLogoutRedirectUri, state === undefined ? [] : [['state', state]])
    : null;
  if (sessionId === null) return ok({ session: 'nothing', returnTo });
  const named = hintClient !== null && hint?.sid === sidOf(realm, hintClient.clientId, sessionId);
  return ok({ session: named ? 'sign_out' : 'ask', returnTo });
}
