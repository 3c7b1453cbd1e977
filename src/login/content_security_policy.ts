import { unreachable } from '../core/result.ts';
import { styleHash } from './style.ts';

export type PolicySources = {
  /** `'self'` and what `formActionSource` says of the redirect URI; browsers check redirects after a submit too. */
  readonly formAction: readonly string[];
  readonly scriptHashes?: readonly string[];
  readonly frameSources?: readonly string[];
  readonly imageSources?: readonly string[];
  /** true: any page may put this one into a frame. It must then have nothing to press. */
  readonly frameable?: boolean;
};

const source = /^(?:'self'|'sha256-[A-Za-z0-9+/]{43}='|[a-z][a-z0-9+.-]*:(?:\/\/[a-z0-9_.-]+(?::\d{1,5})?)?)$/;

/** The value of `Content-Security-Policy` for one page. A source that could end its directive is a bug and throws. */
export function contentSecurityPolicy(sources: PolicySources): string {
  const { formAction, scriptHashes = [], frameSources = [], imageSources = [], frameable = false } = sources;
  const directives: readonly (readonly [string, readonly string[]])[] = [
    ['style-src', [styleHash]],
    ['script-src', scriptHashes],
    ['img-src', imageSources],
    ['frame-src', frameSources],
  ];
  return [
    "default-src 'none'",
    ...directives.filter(([, list]) => list.length > 0).map(([name, list]) => `${name} ${join(list)}`),
    `form-action ${formAction.length > 0 ? join(formAction) : "'none'"}`,
    frameable ? 'frame-ancestors *' : "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

const join = (list: readonly string[]): string =>
  list.map((entry) => (source.test(entry) ? entry : unreachable(`content security policy source ${entry}`))).join(' ');

/**
 * The source that lets a form end at a redirect URI: its origin, or its scheme where there is no origin or where the
 * policy's grammar has no word for the host (IPv6 literals, characters that would end the directive; CSP3 §2.3.1).
 */
export function formActionSource(redirectUri: string): string {
  const url = URL.parse(redirectUri) ?? unreachable('a redirect URI that is no URL');
  return url.origin !== 'null' && source.test(url.origin) ? url.origin : url.protocol;
}
