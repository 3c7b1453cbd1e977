import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { UserId } from '../../core/ids.ts';
import type { Demand } from '../../flow/run.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { matchRedirectUri } from '../../oidc/authorize/redirect_uri.ts';
import { readRequestDocument } from '../../oidc/authorize/request_document.ts';
import { checkResponseType } from '../../oidc/authorize/response_type.ts';
import { type Client, countsFrom } from '../../oidc/client.ts';
import type { Realm } from '../../oidc/realm.ts';
import { subjectOf } from '../../oidc/subject.ts';
import { type Dependencies, findClient } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { demandOf } from './demand.ts';

/**
 * Where a run ends: at the client whose request it answers, or at a page of this server. What a run keeps is the request;
 * the rest is looked up whenever the run goes on. A new kind is a member of both unions and a case in each function here
 * and in `respond.ts`.
 */
export type Destination =
  | { readonly kind: 'client'; readonly client: Client; readonly request: AuthorizationRequest }
  | { readonly kind: 'account'; readonly request: AccountRequest };

const accountRequest = Type.Object({
  kind: Type.Literal('account'),
  /** Who must sign in again, and now; null: whoever is or gets signed in. */
  again: Type.Union([Type.Object({ userId: Type.String(), username: Type.String() }), Type.Null()]),
});

export type AccountRequest = Readonly<Static<typeof accountRequest>>;

/** As it is sealed and stored. A client's request has no `kind`: it is as it was before runs could end elsewhere. */
export type RunRequest = AuthorizationRequest | AccountRequest;

const schema = TypeCompiler.Compile(accountRequest);

/** A request that was sealed or stored by this server, perhaps by another version of it; null: not one of this version. */
export const readRunRequest = (document: unknown): RunRequest | null =>
  schema.Check(document) ? document : readRequestDocument(document);

/** null: the client is gone, or a newer version of this server knows a kind that this one does not. */
export async function destinationOf(
  deps: Pick<Dependencies, 'configuration'>,
  { realm, now }: Exchange,
  request: RunRequest,
): Promise<Destination | null> {
  if ('kind' in request) return schema.Check(request) ? { kind: request.kind, request } : null;
  const client = await findClient(deps, realm, request.clientId, now);
  return client === null ? null : { kind: 'client', client, request };
}

/** What an operator took from a client since the request came is taken from runs that wait, too. */
export function isStillServed(destination: Destination, realm: Realm): boolean {
  if (destination.kind === 'account') return true;
  const { client, request } = destination;
  return (
    request.receivedAt >= countsFrom(client, realm) &&
    matchRedirectUri(request.target.redirectUri, client.redirectUris).ok &&
    checkResponseType(request.responseType, client).ok &&
    request.scope.every((scope) => client.scope.includes(scope))
  );
}

/** What the destination asks of a sign-in. */
export function demandFor(destination: Destination): Demand {
  if (destination.kind === 'client') return demandOf(destination.request, destination.client);
  const { again } = destination.request;
  return {
    interactive: true,
    fresh: again !== null,
    maxAgeSeconds: null,
    subject: again?.userId ?? null,
    hint: again?.username ?? null,
    selectAccount: false,
    acr: { values: [], essential: false },
    consent: null,
  };
}

/** What the destination calls a user. */
export const subjectFor = (destination: Destination, realm: Realm, userId: UserId): string =>
  destination.kind === 'client' ? subjectOf(realm, destination.client, userId) : userId;

/** null: the person goes on to no application. */
export const clientNameOf = (destination: Destination): string | null =>
  destination.kind === 'client' ? destination.client.name : null;

/** Where a person can begin anew; null: nobody has said where. */
export const startUrlOf = (destination: Destination, realm: Realm): string | null =>
  destination.kind === 'client' ? (destination.client.metadata.client_uri ?? null) : accountUrl(realm);

export const uiLocalesOf = (destination: Destination): readonly string[] =>
  destination.kind === 'client' ? destination.request.uiLocales : [];

/** Where a submit on the way may end, beside our own address. */
export const redirectUriOf = (destination: Destination): string | null =>
  destination.kind === 'client' ? destination.request.target.redirectUri : null;

export const accountPath = '/account';

/** After a run the page says so, if it was to sign in again. */
export const accountUrl = ({ issuer }: Pick<Realm, 'issuer'>, request: AccountRequest | null = null): string =>
  `${issuer}${accountPath}${request === null || request.again === null ? '' : '?done=again'}`;
