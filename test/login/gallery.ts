import { resourceItem } from '../../src/flow/consent_item.ts';
import type { Screen } from '../../src/flow/screen.ts';
import { copyOf, type Locale } from '../../src/login/copy/index.ts';
import type { FormTarget, Frame } from '../../src/login/layout.ts';
import {
  type AccountContent,
  accountPage,
  busyPage,
  completedPage,
  type DeviceCodeFault,
  deviceCodePage,
  deviceEndPage,
  type ErrorReason,
  elsewherePage,
  errorPage,
  expiredPage,
  formPostPage,
  screenPage,
  signedOutPage,
  signOutPage,
} from '../../src/login/pages/index.ts';

/** Every value that comes from outside and can stand in a page. */
export type Values = {
  readonly realmName: string;
  readonly clientName: string;
  readonly username: string;
  readonly token: string;
  readonly item: string;
  readonly url: string;
  readonly errorId: string;
  readonly parameter: string;
};

export const plainValues: Values = {
  realmName: 'Northwind',
  clientName: 'Demo web application',
  username: 'alice@example.com',
  token: 'k7Zc0nB2',
  item: 'invoices:read',
  url: 'https://client.example/page',
  errorId: '01JDC5W8Q7ZK3M9T',
  parameter: 'value',
};

export const errorReasons: readonly ErrorReason[] = [
  'request_invalid',
  'client_unknown',
  'client_document_refused',
  'client_document_unavailable',
  'redirect_uri_unregistered',
  'cookies_blocked',
  'not_found',
  'server_error',
  'sign_in_failed',
];

const at = Date.UTC(2026, 10, 23, 17, 14);

/** `item` stands for whatever an application, a browser or an old audit event may have brought. */
function accountOf({ username, clientName, item, url }: Values, form: FormTarget): AccountContent {
  const place = { address: '2001:db8:5:1::17', agent: item };
  const here = { ...place, agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
  const session = { startedAt: at, seenAt: at };
  const device = { rememberedAt: at, provedAt: at };
  const application = { name: clientName, since: at, offline: true };
  const entry = { ...place, at, clientName, isUntried: false };
  return {
    username,
    form,
    status: 'end_session',
    isRecent: true,
    signOutUrl: url,
    sessions: [
      { id: item, ...session, ...here, isThis: true },
      { id: 'b', ...session, ...place, address: null, isThis: false },
    ],
    applications: [
      { clientId: item, ...application, scope: ['openid', 'email', item], lastUsedAt: at },
      { clientId: 'b', ...application, scope: [], lastUsedAt: null, offline: false },
    ],
    devices: [{ id: item, ...device, ...here, isThis: true }],
    history: [
      { ...entry, event: 'token.reuse' },
      { ...entry, event: 'password.refused', clientName: null, isUntried: true, agent: null, address: null },
    ],
    olderUrl: url,
  };
}

const nothingHere = {
  status: null,
  isRecent: false,
  sessions: [],
  applications: [],
  devices: [],
  history: [],
  olderUrl: null,
} as const;

/** Every page in every state, by a name for the state. */
export function gallery(locale: Locale, values: Values = plainValues, action = '/post'): Map<string, string> {
  const { username, clientName } = values;
  const frame: Frame = { copy: copyOf(locale), realmName: values.realmName };
  const form: FormTarget = { action, step: 3, token: values.token };
  const screen = (shown: Screen, client: string | null = clientName): string =>
    screenPage(shown, { ...frame, form, clientName: client });
  const consent = {
    name: 'consent',
    username,
    audienceName: clientName,
    logoUri: null,
    policyUri: null,
    termsUri: null,
    items: [],
  } as const;
  const scopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', values.item];
  const url = values.url;
  const device = { userCode: 'BCDF-GHJK', address: '203.0.113.7', agent: values.parameter, askedAt: 1_767_225_600_000 };
  const deviceCode = (userCode: string, fault: DeviceCodeFault | null): string =>
    deviceCodePage({ userCode, fault, form }, frame);
  const named = { backUrl: url, clientName };
  const alone = { backUrl: null, clientName: null };
  return new Map([
    ['identifier', screen({ name: 'identifier', username: '', fault: null })],
    ['identifier, filled, no client', screen({ name: 'identifier', username, fault: null }, null)],
    ['identifier, username_missing', screen({ name: 'identifier', username, fault: 'username_missing' })],
    ['password', screen({ name: 'password', username, fault: null })],
    ['password, no client', screen({ name: 'password', username, fault: null }, null)],
    ['password, password_missing', screen({ name: 'password', username, fault: 'password_missing' })],
    ['password, refused', screen({ name: 'password', username, fault: 'refused' })],
    ['password, busy', screen({ name: 'password', username, fault: 'busy' })],
    [
      'consent',
      screen({ ...consent, logoUri: '/logo.svg', policyUri: `${url}/policy`, termsUri: `${url}/terms`, items: scopes }),
    ],
    ['consent, given urls', screen({ ...consent, logoUri: url, policyUri: url, termsUri: url, items: [values.item] })],
    ['consent, bare', screen(consent)],
    [
      'device',
      screen({ ...consent, name: 'device', logoUri: url, policyUri: url, termsUri: url, items: scopes, device }),
    ],
    ['device, bare', screen({ ...consent, name: 'device', device: { ...device, address: null, agent: null } })],
    [
      'device, of a stranger',
      screenPage(
        { ...consent, name: 'device', items: ['openid', resourceItem(url)], device },
        { ...frame, form, clientName, introduction: { host: values.item, returns: null } },
      ),
    ],
    ['device code', deviceCode('', null)],
    ['device code, filled', deviceCode('BCDF-GHJK', null)],
    ['device code, missing', deviceCode('', 'missing')],
    ['device code, refused', deviceCode('BCDF-GHJK', 'refused')],
    ['device approved', deviceEndPage({ outcome: 'approved', clientName, startUrl: null }, frame)],
    ['device denied', deviceEndPage({ outcome: 'denied', clientName, startUrl: null }, frame)],
    ['device gone', deviceEndPage({ outcome: 'gone', clientName, startUrl: url }, frame)],
    ...[true, false].map((isOnDevice): [string, string] => [
      `consent, of a stranger, ${isOnDevice ? 'on a device' : 'elsewhere'}`,
      screenPage(
        { ...consent, items: ['openid', resourceItem(url)] },
        { ...frame, form, clientName, introduction: { host: values.item, returns: { to: values.item, isOnDevice } } },
      ),
    ]),
    ...errorReasons.map((reason): [string, string] => [
      `error, ${reason}`,
      errorPage({ reason, errorId: values.errorId, ...alone }, frame),
    ]),
    ['error, way back', errorPage({ reason: 'server_error', errorId: values.errorId, ...named }, frame)],
    ['signed out', signedOutPage(alone, frame)],
    ['signed out, way back', signedOutPage(named, frame)],
    ['signed out, frames', signedOutPage({ ...named, frames: [url, url], continueUrl: null }, frame)],
    ['signed out, going on', signedOutPage({ ...named, frames: [url], continueUrl: url }, frame)],
    [
      'error, once more',
      errorPage({ reason: 'sign_in_failed', errorId: values.errorId, ...alone, retryUrl: url }, frame),
    ],
    ['account', accountPage(accountOf(values, form), frame)],
    ['account, later', accountPage({ ...accountOf(values, form), ...nothingHere }, frame)],
    ['sign out', signOutPage({ username, form, carried: { state: values.parameter } }, frame)],
    ['completed', completedPage(named, frame)],
    ['completed, nameless', completedPage({ backUrl: url, clientName: null }, frame)],
    ['expired', expiredPage({ startUrl: url }, frame)],
    ['expired, alone', expiredPage({ startUrl: null }, frame)],
    ['elsewhere', elsewherePage({ startUrl: url }, frame)],
    ['elsewhere, alone', elsewherePage({ startUrl: null }, frame)],
    ['busy', busyPage({ retryUrl: url }, frame)],
    [
      'form post',
      formPostPage({ redirectUri: action, parameters: { code: values.parameter, iss: url }, clientName }, frame),
    ],
  ]);
}
