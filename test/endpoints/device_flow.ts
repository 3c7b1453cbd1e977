import { expect } from 'bun:test';
import type { NewClient } from '../../src/store/clients.ts';
import type { Provider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import { register } from './operator.ts';
import { bodyOf, type Parameters, type Party, postAs, text } from './relying_party.ts';
import { alice, entryFor, pageOf, screenOf } from './run_browser.ts';

/** A device and the person in front of it. */

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** A television: public, with refresh tokens, and no redirect URI at all. */
export const registerDevice = (provider: Provider, clientId: string, more: Partial<NewClient> = {}): Promise<Party> =>
  register(provider, clientId, {
    class: 'public',
    authMethod: 'none',
    name: 'Living room TV',
    redirectUris: [],
    grantTypes: [deviceGrant, 'refresh_token'],
    responseTypes: [],
    scope: ['openid', 'profile', 'offline_access'],
    ...more,
  });

export const askForDevice = (party: Party, fields: Parameters = { scope: 'openid profile' }): Promise<Response> =>
  postAs(party, '/device_authorization', fields);

export type Asked = { readonly deviceCode: string; readonly userCode: string; readonly complete: string };

export async function ask(party: Party, fields?: Parameters): Promise<Asked> {
  const response = await askForDevice(party, fields);
  expect(response.status).toBe(200);
  const body = await bodyOf(response);
  return {
    deviceCode: text(body, 'device_code'),
    userCode: text(body, 'user_code'),
    complete: text(body, 'verification_uri_complete'),
  };
}

export const poll = (party: Party, deviceCode: string, fields: Parameters = {}): Promise<Response> =>
  postAs(party, '/token', { grant_type: deviceGrant, device_code: deviceCode, ...fields });

/** The error of a poll that must fail with 400. */
export async function pollError(party: Party, deviceCode: string): Promise<string> {
  const response = await poll(party, deviceCode);
  const body = await bodyOf(response);
  expect([response.status, Object.keys(body)]).toEqual([400, ['error', 'error_description']]);
  return text(body, 'error');
}

/** Types the code and goes on to the page that asks for the decision. */
export async function reachDecision(agent: UserAgent, issuer: string, userCode: string, who = alice): Promise<Shown> {
  const entry = await agent.page(`${issuer}/device`);
  let at = pageOf(await agent.answer(entry, { user_code: userCode }));
  for (let hop = 0; hop < 3 && !at.html.includes('id="allow"'); hop += 1) {
    at = pageOf(await agent.answer(at, entryFor(screenOf(at), who)));
  }
  expect(at.html).toContain('id="compare"');
  return at;
}

export const decide = async (agent: UserAgent, page: Shown, decision: 'allow' | 'deny'): Promise<Shown> =>
  pageOf(await agent.answer(page, { decision }));

export async function approve(issuer: string, userCode: string, agent = new UserAgent(), who = alice): Promise<Shown> {
  return decide(agent, await reachDecision(agent, issuer, userCode, who), 'allow');
}

/** The mark of a last page. */
export const endOf = ({ html }: Shown): string => /id="device-([a-z]+)"/.exec(html)?.[1] ?? 'no end';
