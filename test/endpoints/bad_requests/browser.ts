import { asPerson, type BadRequest, encode, get, guess, postForm } from './bad_request.ts';

/** `/logout` and `/run`: where a browser comes. */

const paged = (
  name: string,
  status: number,
  request: BadRequest['request'],
  more: Partial<BadRequest> = {},
): BadRequest => ({ name, request, status, told: 'page', error: null, ...more });

export const logoutRequests: readonly BadRequest[] = [
  paged(
    'a return address that is not registered',
    400,
    ({ webTokens, signedIn }) =>
      get(
        `/logout?${encode([
          ['id_token_hint', webTokens.idToken],
          ['post_logout_redirect_uri', 'https://evil.example/'],
        ])}`,
        [['Cookie', signedIn], asPerson],
      ),
    { parameter: 'post_logout_redirect_uri' },
  ),
  paged(
    'a registered return address with a query added',
    400,
    ({ webTokens }) =>
      get(
        `/logout?${encode([
          ['id_token_hint', webTokens.idToken],
          ['post_logout_redirect_uri', 'http://127.0.0.1:4020/signed-out?a=b'],
        ])}`,
        [asPerson],
      ),
    { parameter: 'post_logout_redirect_uri' },
  ),
  paged(
    'client_id that is not the hint’s',
    400,
    ({ webTokens }) =>
      get(
        `/logout?${encode([
          ['id_token_hint', webTokens.idToken],
          ['client_id', 'demo-spa'],
        ])}`,
        [asPerson],
      ),
    { parameter: 'client_id' },
  ),
  paged('state twice', 400, () => get('/logout?state=a&state=b', [asPerson]), { parameter: 'state' }),
  paged('id_token_hint oversized', 400, () => get(`/logout?id_token_hint=${'x'.repeat(9000)}`, [asPerson]), {
    parameter: 'id_token_hint',
  }),
  paged('malformed percent-encoding', 400, () => get('/logout?state=%zz', [asPerson]), { parameter: 'state' }),
  paged('JSON', 415, () => ({
    method: 'POST',
    target: '/logout',
    headers: [['Content-Type', 'application/json'], asPerson],
    body: '{}',
  })),
  paged('1 MB', 413, () => postForm('/logout', 'x'.repeat(1024 * 1024), [asPerson])),
];

export const runRequests: readonly BadRequest[] = [
  paged('a submit without our cookie', 400, ({ run }) =>
    postForm(
      run.path,
      [...Object.entries(run.hidden), ['password', guess]],
      [['Sec-Fetch-Site', 'same-origin'], asPerson],
    ),
  ),
  paged('a submit of JSON', 415, ({ run }) => ({
    method: 'POST',
    target: run.path,
    headers: [['Content-Type', 'application/json'], ['Cookie', run.cookie], asPerson],
    body: JSON.stringify({ password: guess }),
  })),
  paged('a submit of 1 MB', 413, ({ run }) =>
    postForm(run.path, `password=${guess.repeat(60_000)}`, [['Cookie', run.cookie], asPerson]),
  ),
];
