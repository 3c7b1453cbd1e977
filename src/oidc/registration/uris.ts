import { kindOfRedirectUri, type RedirectUriKind } from '../authorize/redirect_uri.ts';
import { canonicalResponseType, isFrontChannel, isResponseType } from '../authorize/response_type.ts';
import type { Refusal } from '../errors.ts';
import type { MemberName, Members } from './members.ts';
import { refuseMember } from './refusal.ts';

/** Where a member may point. `machine`: https, or http of this machine, which only an operator's switch lets us reach. */
type Reach = 'https' | 'machine' | 'web';

const reaches: { readonly [Name in MemberName]?: { readonly reach: Reach; readonly fragment?: true } } = {
  // OIDC Registration §2, §5; OIDC Core §4.
  sector_identifier_uri: { reach: 'https' },
  initiate_login_uri: { reach: 'https' },
  jwks_uri: { reach: 'machine' },
  // OIDC Core §6.2: the fragment may be the hash of what is there.
  request_uris: { reach: 'machine', fragment: true },
  frontchannel_logout_uri: { reach: 'machine' },
  backchannel_logout_uri: { reach: 'machine' },
  client_uri: { reach: 'web', fragment: true },
  logo_uri: { reach: 'web' },
  policy_uri: { reach: 'web', fragment: true },
  tos_uri: { reach: 'web', fragment: true },
};

const inWords: { readonly [Name in Reach]: string } = {
  https: 'an https URL',
  machine: 'an https URL, or an http URL of this machine',
  web: 'an https or http URL',
};

/** The first member that points where it must not; null: there is none. */
export function refuseUris(registered: Members): Refusal | null {
  for (const [member, { reach, fragment }] of Object.entries(reaches)) {
    const value = Object.entries(registered).find(([name]) => name === member)?.[1];
    const uris = Array.isArray(value) ? value : value === undefined ? [] : [value];
    if (uris.every((uri) => typeof uri === 'string' && isWithin(uri, reach, fragment === true))) continue;
    return refuseMember(member, `must be ${inWords[reach]}${fragment === true ? '' : ' without a fragment'}`);
  }
  return null;
}

function isWithin(uri: string, reach: Reach, fragment: boolean): boolean {
  const plain = fragment ? uri.replace(/#[!-~]*$/, '') : uri;
  const kind = kindOfRedirectUri(plain);
  if (kind === 'https') return true;
  if (reach === 'machine') return kind === 'loopback';
  return reach === 'web' && /^http:\/\/[^/?@#\\]+[!-~]*$/i.test(plain) && URL.canParse(plain);
}

/**
 * OIDC Registration §2 `application_type`, RFC 8252 §7. Who does not say it is native if one of its redirect URIs can only
 * be: RFC 7591 clients do not know the member, and `web`, the default, would refuse every one on a device.
 */
export const applicationTypeOf = ({ application_type, redirect_uris = [] }: Members): 'web' | 'native' =>
  application_type ?? (redirect_uris.some((uri) => kindOfRedirectUri(uri) !== 'https') ? 'native' : 'web');

type Rule = { readonly allows: (kind: RedirectUriKind, front: boolean) => boolean; readonly is: string };

const rules: { readonly [Type in 'web' | 'native']: Rule } = {
  web: {
    allows: (kind, front) => kind === 'https' || (kind === 'loopback' && !front),
    is: 'must be https for a web application, or http of this machine where only a code is returned; an application on a device has the application_type native',
  },
  // RFC 8252 §7.2: an https URL can be claimed by an application.
  native: { allows: () => true, is: '' },
};

const notAnyKind =
  'must be absolute https URLs, http URLs of this machine (127.0.0.1, [::1], localhost) or private-use schemes with a dot, without fragment, user or password';

export function refuseRedirectUris(registered: Members): Refusal | null {
  const { redirect_uris = [], response_types = [] } = registered;
  const rule = rules[applicationTypeOf(registered)];
  const front = response_types.map(canonicalResponseType).some((type) => isResponseType(type) && isFrontChannel(type));
  for (const uri of redirect_uris) {
    const kind = kindOfRedirectUri(uri);
    if (kind === null) return refuseMember('redirect_uris', notAnyKind, 'RFC 6749 §3.1.2');
    if (!rule.allows(kind, front)) return refuseMember('redirect_uris', rule.is, 'OIDC Registration §2');
  }
  return null;
}

/** OIDC Front-Channel Logout §2: scheme, host and port of a redirect URI. */
export function refuseFrontChannel({ frontchannel_logout_uri: uri, redirect_uris = [] }: Members): Refusal | null {
  if (uri === undefined || redirect_uris.some((redirect) => URL.parse(redirect)?.origin === URL.parse(uri)?.origin))
    return null;
  return refuseMember(
    'frontchannel_logout_uri',
    'must have scheme, host and port of one of the redirect_uris',
    'OIDC Front-Channel Logout §2',
  );
}
