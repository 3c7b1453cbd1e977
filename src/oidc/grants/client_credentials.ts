import { Type } from '@sinclair/typebox';
import { ok } from '../../core/result.ts';
import { audienceFor } from '../authorize/resource.ts';
import { defineParameters } from '../parameters.ts';
import { grantableScope } from '../scope.ts';
import { claimScopes } from '../standard_claims.ts';
import type { GrantType } from './grant.ts';

const parameters = defineParameters(
  Type.Object({
    scope: Type.Optional(Type.String({ maxLength: 2048 })),
    resource: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 10 })),
  }),
);

/** Scopes that speak of a user mean nothing where there is none. */
const ofUsers: ReadonlySet<string> = new Set(['openid', 'offline_access', ...claimScopes]);

/** RFC 6749 §4.4: no user, no refresh token, no family, no database. */
export const clientCredentials: GrantType = {
  type: 'client_credentials',
  forClass: ['confidential'],
  givesNoIdToken: true,
  check({ form, client, realm }) {
    const sent = parameters.read(form);
    if (!sent.ok) return sent;
    const own = { ...client, scope: client.scope.filter((token) => !ofUsers.has(token)) };
    const scope = sent.value.scope === undefined ? ok(own.scope) : grantableScope(sent.value.scope, own);
    if (!scope.ok) return scope;
    // Resources of the realm's that need a person's consent are none of these.
    const audience = audienceFor(sent.value.resource, { resources: client.resources }, realm.issuer, scope.value);
    if (!audience.ok) return audience;
    return ok(async () =>
      ok({
        grant: {
          clientId: client.clientId,
          userId: null,
          sessionId: null,
          scope: scope.value,
          audience: audience.value,
          authTime: null,
          acr: null,
          amr: [],
          claims: { userinfo: [], idToken: [] },
        },
        scope: scope.value,
        familyId: null,
        refreshToken: null,
        nonce: null,
        userClaims: {},
      }),
    );
  },
};
