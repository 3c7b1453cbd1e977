import type { ShownEvent } from '../../login/pages/account_history.ts';

/** The audit events that people are shown of their own account: all that the page has words for. */
const shown: { readonly [Event in ShownEvent]: true } = {
  'session.started': true,
  'session.ended': true,
  'password.accepted': true,
  'password.refused': true,
  'lockout.started': true,
  'lockout.cleared': true,
  'user.signed_out_everywhere': true,
  'user.password_set': true,
  'device.forgotten': true,
  'device.approved': true,
  'device.denied': true,
  'consent.granted': true,
  'consent.revoked': true,
  'token.revoked': true,
  'token.reuse': true,
  'code.replayed': true,
};

export const shownEvents: readonly string[] = Object.keys(shown);
export const isShownEvent = (event: string): event is ShownEvent => Object.hasOwn(shown, event);
