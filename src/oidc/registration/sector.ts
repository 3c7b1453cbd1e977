import { err, ok, type Result } from '../../core/result.ts';
import type { Refusal } from '../errors.ts';
import { refuseMember } from './refusal.ts';

const rule = 'OIDC Registration §5';

/** OIDC Registration §5: the document is a JSON array of URLs that has every one of the redirect URIs in it. */
export function checkSectorDocument(
  fetched: Result<unknown, string>,
  redirectUris: readonly string[],
): Result<null, Refusal> {
  if (!fetched.ok) return err(refuseMember('sector_identifier_uri', `could not be fetched: ${fetched.error}`, rule));
  const { value } = fetched;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    return err(refuseMember('sector_identifier_uri', 'must lead to a JSON array of URLs', rule));
  }
  return redirectUris.every((uri) => value.includes(uri))
    ? ok(null)
    : err(refuseMember('sector_identifier_uri', 'leads to a list that lacks one of the redirect_uris', rule));
}
