import { expect } from 'bun:test';
import type { RawResponse } from '../raw_http.ts';
import { membersOf, text } from '../relying_party.ts';
import { type BadRequest, guess } from './bad_request.ts';
import type { Known } from './known.ts';

/** What every refusal must keep to, beside its own status and code. */
export function judge(bad: BadRequest, response: RawResponse, lines: readonly string[], { secrets }: Known): void {
  expect({ status: response.status, error: errorIn(bad, response) }).toEqual({ status: bad.status, error: bad.error });
  for (const [name, value] of Object.entries(bad.headers ?? {})) {
    expect(response.headers[name]).toEqual([typeof value === 'string' ? value : expect.stringMatching(value)]);
  }
  revealsNothing(response, lines, secrets);
  if (bad.told === 'server') expect({ body: response.body, lines }).toEqual({ body: '', lines: [] });
  else isAccountedFor(bad, response, lines);
}

/** The id that was told leads to the one line that says which rule and which parameter. */
function isAccountedFor(bad: BadRequest, response: RawResponse, lines: readonly string[]): void {
  headersFit(response);
  const errorId = errorIdIn(response);
  const told = lines.map((line) => membersOf(JSON.parse(line))).filter((line) => line['errorId'] === errorId);
  expect(told).toHaveLength(1);
  expect(told[0]?.['event']).toBe('request.refused');
  expect(told[0]?.['rule']).toMatch(/§|Appendix/);
  if ('parameter' in bad) expect(told[0]?.['parameter']).toBe(bad.parameter ?? null);
}

/** No code, no token, no session, nothing that was submitted, nothing of how it is made. */
function revealsNothing(response: RawResponse, lines: readonly string[], secrets: readonly string[]): void {
  const told = toldByRedirect(response);
  for (const name of ['code', 'access_token', 'id_token']) expect(told.has(name)).toBe(false);
  expect(response.body).not.toMatch(/name="code"|"code":|"(access|refresh|id)_token":/);
  const sessions = (response.headers['set-cookie'] ?? []).filter((cookie) => /\.session=[^;]/.test(cookie));
  expect(sessions).toEqual([]);
  const everything = [response.text, ...lines].join('\n');
  for (const secret of [...secrets, guess]) expect(everything.includes(secret)).toBe(false);
  expect(everything).not.toMatch(/\n\s+at |\\n\s+at |\.ts:\d|node_modules|"stack"/);
  expect(everything).not.toMatch(/\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s|token_families|drizzle|PostgresError/i);
}

function headersFit({ status, headers }: RawResponse): void {
  expect(headers['cache-control']).toEqual(['no-store']);
  expect(headers['x-content-type-options']).toEqual(['nosniff']);
  if (status === 401) expect(headers['www-authenticate']).toHaveLength(1);
  if (status === 405) expect(headers['allow']).toHaveLength(1);
}

/** What a redirect tells the client, in the query or behind it (OAuth Multiple Response Types §2.1). */
function toldByRedirect({ headers }: RawResponse): URLSearchParams {
  const { search, hash } = new URL(headers['location']?.[0] ?? 'none:');
  return new URLSearchParams(`${search.slice(1)}&${hash.slice(1)}`);
}

function errorIn({ told }: BadRequest, response: RawResponse): string | null {
  const { body, headers } = response;
  if (told === 'json') {
    expect(headers['content-type']).toEqual(['application/json']);
    const members = membersOf(JSON.parse(body));
    return members['error'] === undefined ? null : text(members, 'error');
  }
  if (told === 'redirect') return toldByRedirect(response).get('error');
  if (told === 'form_post') return /name="error" value="([a-z_]+)"/.exec(body)?.[1] ?? null;
  if (told === 'page') expect(headers['content-type']).toEqual(['text/html; charset=utf-8']);
  return null;
}

const errorIdPattern =
  /error id ([A-Za-z0-9_-]{12})\)|"error_id":"([A-Za-z0-9_-]{12})"|id="error_id">([A-Za-z0-9_-]{12})</;

function errorIdIn(response: RawResponse): string {
  const description = toldByRedirect(response).get('error_description') ?? response.body;
  const [, ...found] = errorIdPattern.exec(description) ?? [];
  return found.find((id) => id !== undefined) ?? '(no error id)';
}
