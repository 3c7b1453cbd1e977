import { err, type Result } from '../core/result.ts';
import { decideAuthorization } from '../oidc/authorize/index.ts';
import { openRequestObject } from '../oidc/authorize/request_object.ts';
import { errorResponse } from '../oidc/authorize/response.ts';
import type { Client } from '../oidc/client.ts';
import type { Refusal } from '../oidc/errors.ts';
import { type IdTokenHint, verifyIdTokenHint } from '../oidc/id_token_hint.ts';
import { type Form, parseForm, single } from '../oidc/parameters.ts';
import { described, pageResponse, redirect } from './answer.ts';
import { type BodyFault, readForm } from './body.ts';
import { type Dependencies, presentedClient } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import type { Interaction } from './interaction/index.ts';
import type { NoClient } from './metadata_clients.ts';
import { logRefusal } from './refused.ts';

/** RFC 6749 §3.1, OIDC Core §3.1.2.1: by GET and by POST, with the same meaning. */
export function authorizeEndpoint(deps: Dependencies, interaction: Interaction): Handler {
  return async (exchange) => {
    const { request, realm, now } = exchange;
    const body = request.method === 'POST' ? await readForm(request) : null;
    if (body?.ok === false) return refusedBody(deps, exchange, body.error);
    const sent = body === null ? parseForm(exchange.query) : body.value;
    const clientId = single(sent, 'client_id');
    const found = clientId === undefined ? err('unknown' as const) : await presentedClient(deps, exchange, clientId);
    if (!found.ok && found.error !== 'unknown') return withoutDocument(deps, exchange, found.error);
    const client = found.ok ? found.value : null;
    const { form, refusal: objectRefusal } = await opened(deps, exchange, sent, client);
    const hint = await hintOf(form, exchange);
    const decided = decideAuthorization({ form, objectRefusal, client, realm, hint, acrValues: deps.acrValues, now });
    if (decided.ok && client !== null)
      return interaction.begin(exchange, { kind: 'client', client, request: decided.value });
    if (decided.ok) throw new Error('a request was accepted without a client');
    const { error: refused } = decided;
    logRefusal(deps.log, exchange, refused.refusal, client?.clientId);
    if (refused.kind === 'page') return refusedPage(deps, exchange, refused.refusal);
    const told = { ...refused.refusal, description: described(refused.refusal, exchange.errorId) };
    const response = errorResponse(refused.target, realm.issuer, told);
    if (response.kind === 'redirect') return redirect(response.location);
    const parameters = Object.fromEntries(response.fields);
    const page = {
      kind: 'form_post' as const,
      redirectUri: response.action,
      parameters,
      clientName: refused.client.name,
    };
    return pageResponse(deps.renderPage, exchange, page);
  };
}

/** Without a client there is nobody whose keys could have signed it, and nothing is fetched. */
async function opened(deps: Dependencies, { realm, now }: Exchange, form: Form, client: Client | null) {
  return client === null ? { form, refusal: null } : openRequestObject({ form, client, realm, now }, deps);
}

/** null: none was sent. */
async function hintOf(form: Form, { realm, keys }: Exchange): Promise<Result<IdTokenHint, Refusal> | null> {
  const hint = single(form, 'id_token_hint');
  return hint === undefined ? null : verifyIdTokenHint(hint, realm.issuer, { keys: [...keys.jwks.keys] });
}

/** RFC 6749 §4.1.2.1: the person is told, and nothing is redirected. */
function refusedPage(deps: Dependencies, exchange: Exchange, { error, parameter }: Refusal): Response {
  const byParameter =
    parameter === 'redirect_uri' ? ('redirect_uri_unregistered' as const) : ('request_invalid' as const);
  const reason = error === 'invalid_client' ? ('client_unknown' as const) : byParameter;
  const page = { kind: 'error' as const, reason, errorId: exchange.errorId, backUrl: null, clientName: null };
  return pageResponse(deps.renderPage, exchange, page, { status: 400 });
}

/** draft-ietf-oauth-client-id-metadata-document §5.1: nobody is known to whom this could be answered. */
function withoutDocument(deps: Dependencies, exchange: Exchange, { kind, refusal }: NoClient): Response {
  logRefusal(deps.log, exchange, refusal);
  const reason = `client_document_${kind}` as const;
  const page = { kind: 'error' as const, reason, errorId: exchange.errorId, backUrl: null, clientName: null };
  const answer = kind === 'refused' ? { status: 400 } : { status: 503, headers: { 'retry-after': '10' } };
  return pageResponse(deps.renderPage, exchange, page, answer);
}

function refusedBody(deps: Dependencies, exchange: Exchange, { status, refusal }: BodyFault): Response {
  logRefusal(deps.log, exchange, refusal);
  const page = { kind: 'error' as const, reason: 'request_invalid' as const, errorId: exchange.errorId };
  return pageResponse(deps.renderPage, exchange, { ...page, backUrl: null, clientName: null }, { status });
}
