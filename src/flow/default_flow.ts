import type { DefinitionDraft } from './definition.ts';

/** The browser flow that a new realm gets: single sign-on, else name and password, then consent. */
export const defaultFlow: DefinitionDraft = {
  start: 'session',
  nodes: {
    session: { type: 'session', config: {}, on: { found: 'consent', none: 'identifier' } },
    identifier: { type: 'identifier', config: {}, on: { next: 'password' } },
    password: { type: 'password', config: {}, on: { verified: 'consent', change_account: 'identifier' } },
    consent: { type: 'consent', config: {}, on: { granted: 'allow', denied: 'deny' } },
    allow: { type: 'allow', config: {}, on: {} },
    deny: { type: 'deny', config: {}, on: {} },
  },
};
