import { brandId, type ClientId, type SessionId, type UserId } from '../core/ids.ts';
import type { Grant } from '../oidc/token_family.ts';
import type { GrantColumns } from './family_statements.ts';

/** The columns that say what was granted, as they stand in a family and in what becomes one. */
export const grantOf = (row: Omit<GrantColumns, 'user_claims'>): Grant => ({
  clientId: brandId<ClientId>(row.client_id),
  userId: row.user_id === null ? null : brandId<UserId>(row.user_id),
  sessionId: row.session_id === null ? null : brandId<SessionId>(row.session_id),
  scope: row.scope.split(' '),
  audience: row.audience,
  authTime: row.auth_time,
  acr: row.acr,
  amr: row.amr ?? [],
  claims: row.claims ?? { userinfo: [], idToken: [] },
});
