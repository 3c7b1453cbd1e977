import { err, ok, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';

/** RFC 8707 §2: an absolute URI (RFC 3986 §4.3) without a fragment. */
export const isResourceIndicator = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) && !text.includes('#');

/**
 * RFC 8707 §2: the audience of the access token. Asked for and allowed, else the client's default, else the issuer. With
 * `openid` the issuer is always among them, since userinfo is its own.
 */
export function audienceFor(
  asked: readonly string[] | undefined,
  client: Pick<Client, 'resources' | 'introduced'>,
  issuer: string,
  scope: readonly string[],
): Result<readonly string[], Refusal> {
  const resources = asked ?? [];
  if (!resources.every(isResourceIndicator)) {
    return err(
      refusal('invalid_target', 'resource must be an absolute URI without a fragment', 'RFC 8707 §2', 'resource'),
    );
  }
  const { resources: own, introduced } = client;
  const mayAskFor = (resource: string): boolean =>
    own.includes(resource) || resource === issuer || isOneOf(resource, introduced?.resources ?? []);
  if (!resources.every(mayAskFor)) {
    return err(refusal('invalid_target', 'this client may not ask for this resource', 'RFC 8707 §2', 'resource'));
  }
  const [byDefault = issuer] = own;
  const audience = resources.length > 0 ? resources : [byDefault];
  return ok([...new Set(scope.includes('openid') ? [...audience, issuer] : audience)]);
}

/**
 * RFC 3986 §6.2.3: `https://mcp.example` and `https://mcp.example/` are one resource, and clients of either spelling exist;
 * nothing else is normalised. The token names it as it was asked for.
 */
export const isOneOf = (resource: string, resources: readonly string[]): boolean =>
  resources.some((known) => withoutEmptyPath(known) === withoutEmptyPath(resource));

const withoutEmptyPath = (uri: string): string => uri.replace(/^(https?:\/\/[^/?#]+)\/$/, '$1');

/**
 * RFC 8707 §2.2: a token request may name some of the resources that were granted; null: it names none. For `openid` the
 * issuer stays among them.
 */
export const narrowedAudience = (
  asked: readonly string[] | null,
  granted: readonly string[],
  issuer: string,
  scope: readonly string[],
): readonly string[] =>
  asked === null
    ? granted
    : granted.filter((audience) => asked.includes(audience) || (audience === issuer && scope.includes('openid')));
