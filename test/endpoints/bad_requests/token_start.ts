import { redirectUri } from '../relying_party.ts';
import { type BadRequest, basicHeader, type Fields } from './bad_request.ts';
import type { Known } from './known.ts';

/** What the tables of `/token` start from: a good redemption by demo-web. */

export const path = '/token';
export const asWeb = ({ web }: Known) => basicHeader(web.clientId, web.secret);

export const codeFields = ({ webCode }: Known): Fields => [
  ['grant_type', 'authorization_code'],
  ['code', webCode],
  ['redirect_uri', redirectUri],
];
export const bad = (
  name: string,
  error: string,
  request: BadRequest['request'],
  more: Partial<BadRequest> = {},
): BadRequest => ({ name, request, error, told: 'json', status: error === 'invalid_client' ? 401 : 400, ...more });
