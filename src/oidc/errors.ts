/** Every error code this provider can put on the wire, with its HTTP status where it is not carried by a redirect. */
const statusOf = {
  // RFC 6749 §4.1.2.1, §5.2
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  access_denied: 400,
  server_error: 500,
  temporarily_unavailable: 503,
  // RFC 6750 §3.1
  invalid_token: 401,
  insufficient_scope: 403,
  // RFC 9470 §3
  insufficient_user_authentication: 401,
  // OIDC Core §3.1.2.6
  login_required: 400,
  consent_required: 400,
  account_selection_required: 400,
  interaction_required: 400,
  request_not_supported: 400,
  request_uri_not_supported: 400,
  invalid_request_uri: 400,
  invalid_request_object: 400,
  registration_not_supported: 400,
  // OIDC Core Unmet Authentication Requirements 1.0
  unmet_authentication_requirements: 400,
  // RFC 7009 §2.2.1
  unsupported_token_type: 400,
  // RFC 7591 §3.2.2
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  unapproved_software_statement: 400,
  // RFC 8628 §3.5
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  // RFC 8707 §2
  invalid_target: 400,
  // RFC 9449 §5, §8; at a protected resource 401 (§7.1)
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
} as const;

export type ErrorCode = keyof typeof statusOf;
export const errorCodes: readonly string[] = Object.keys(statusOf);

/**
 * An expected failure of the protocol. `description` is for the client's developer and never repeats what was sent;
 * `rule` and `parameter` let an operator resolve the error id.
 */
export type Refusal = {
  readonly error: ErrorCode;
  /** ASCII without `"` and `\` (RFC 6749 §5.2). */
  readonly description: string;
  /** The section that decides. */
  readonly rule: string;
  readonly parameter: string | null;
  /** The client that was named but not proved, where there is one: for the operator alone. */
  readonly clientId?: string;
};

export const refusal = (error: ErrorCode, description: string, rule: string, parameter?: string): Refusal => ({
  error,
  description,
  rule,
  parameter: parameter ?? null,
});

export const statusOfError = (error: ErrorCode): number => statusOf[error];
