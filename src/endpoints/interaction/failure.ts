import type { FailureReason } from '../../flow/run.ts';
import { type ErrorCode, type Refusal, refusal } from '../../oidc/errors.ts';

/** How the end of a run is told to the client (OIDC Core §3.1.2.6). */
const errors: { readonly [Reason in FailureReason]: readonly [ErrorCode, string] } = {
  denied: ['access_denied', 'the user or the sign-in policy denied the request'],
  login_required: ['login_required', 'the user must sign in'],
  consent_required: ['consent_required', 'the user must consent'],
  account_selection_required: ['account_selection_required', 'the user must choose an account'],
  interaction_required: ['interaction_required', 'the user must be shown a page'],
  acr_unmet: ['unmet_authentication_requirements', 'the authentication context asked for was not reached'],
  user_disabled: ['access_denied', 'the user or the sign-in policy denied the request'],
  too_many_hops: ['server_error', 'the sign-in could not be carried out'],
  expired: ['access_denied', 'the sign-in was left open for too long'],
};

export function refusalOfFailure(reason: FailureReason): Refusal {
  const [error, description] = errors[reason];
  const rule = reason === 'acr_unmet' ? 'OIDC Unmet Authentication Requirements 1.0' : 'OIDC Core §3.1.2.6';
  return refusal(error, description, rule);
}
