import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { UserId } from '../../core/ids.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { matchRedirectUri } from '../../oidc/authorize/redirect_uri.ts';
import { readRequestDocument } from '../../oidc/authorize/request_document.ts';
import { checkResponseType } from '../../oidc/authorize/response_type.ts';
import { type Client, countsFrom } from '../../oidc/client.ts';
import { mayUseDevices } from '../../oidc/device/authorization_request.ts';
import { devicePath } from '../../oidc/discovery.ts';
import type { Realm } from '../../oidc/realm.ts';
import { subjectOf } from '../../oidc/subject.ts';
import { type Dependencies, findClient } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';

/**
 * Where a run ends: at the client whose request it answers, at a page of this server, or with a word for a device that polls
 * for it (RFC 8628). What a run keeps is the request; the rest is looked up whenever the run goes on. A new kind is a member
 * of both unions and a case in each function here, in `demand.ts` and in `respond.ts`.
 */
export type Destination =
  | { readonly kind: 'client'; readonly client: Client; readonly request: AuthorizationRequest }
  | { readonly kind: 'device'; readonly client: Client; readonly request: DeviceRequest }
  | { readonly kind: 'account'; readonly request: AccountRequest };

export type DestinationOf<Kind extends Destination['kind']> = Extract<Destination, { readonly kind: Kind }>;

const text = Type.String();
const nullable = Type.Union([text, Type.Null()]);

const deviceRequest = Type.Object({
  kind: Type.Literal('device'),
  clientId: text,
  /** Names the waiting device. */
  familyId: text,
  userCode: text,
  scope: Type.Array(text),
  audience: Type.Array(text),
  address: nullable,
  agent: nullable,
  uiLocales: Type.Array(text),
  receivedAt: Type.Integer(),
  expiresAt: Type.Integer(),
});

const accountRequest = Type.Object({
  kind: Type.Literal('account'),
  /** Who must sign in again, and now; null: whoever is or gets signed in. */
  again: Type.Union([Type.Object({ userId: text, username: text }), Type.Null()]),
});

export type DeviceRequest = Readonly<Static<typeof deviceRequest>>;
export type AccountRequest = Readonly<Static<typeof accountRequest>>;

/** As it is sealed and stored. A client's request has no `kind`: it is as it was before runs could end elsewhere. */
export type RunRequest = AuthorizationRequest | DeviceRequest | AccountRequest;

const schema = TypeCompiler.Compile(Type.Union([deviceRequest, accountRequest]));

/** A request that was sealed or stored by this server, perhaps by another version of it; null: not one of this version. */
export const readRunRequest = (document: unknown): RunRequest | null =>
  schema.Check(document) ? document : readRequestDocument(document);

/** null: the client is gone, or a newer version of this server knows a kind that this one does not. */
export async function destinationOf(
  deps: Pick<Dependencies, 'configuration' | 'metadataClients'>,
  { realm, now }: Exchange,
  request: RunRequest,
): Promise<Destination | null> {
  if ('kind' in request) {
    if (!schema.Check(request)) return null;
    if (request.kind === 'account') return { kind: 'account', request };
  }
  const client = await findClient(deps, realm, request.clientId, now);
  if (client === null) return null;
  return 'kind' in request ? { kind: 'device', client, request } : { kind: 'client', client, request };
}

/** What an operator took from a client since the request came is taken from runs that wait, too. */
export function isStillServed(destination: Destination, realm: Realm): boolean {
  if (destination.kind === 'account') return true;
  const { client, request } = destination;
  return (
    request.receivedAt >= countsFrom(client, realm) &&
    mayStillAsk(destination) &&
    request.scope.every((scope) => client.scope.includes(scope))
  );
}

const mayStillAsk = (destination: DestinationOf<'client' | 'device'>): boolean =>
  destination.kind === 'device' ? mayUseDevices(destination.client) : mayStillCall(destination);

const mayStillCall = ({ client, request }: DestinationOf<'client'>): boolean =>
  matchRedirectUri(request.target.redirectUri, client.redirectUris, client.settings).ok &&
  checkResponseType(request.responseType, client).ok;

/** What the destination calls a user. */
export const subjectFor = (destination: Destination, realm: Realm, userId: UserId): string =>
  destination.kind === 'account' ? userId : subjectOf(realm, destination.client, userId);

/** null: the person goes on to no application. */
export const clientNameOf = (destination: Destination): string | null =>
  destination.kind === 'account' ? null : destination.client.name;

/** Where a person can begin anew; null: nobody has said where. */
export function startUrlOf(destination: Destination, realm: Realm): string | null {
  switch (destination.kind) {
    case 'client':
      return destination.client.metadata.client_uri ?? null;
    case 'device':
      return devicePageUrl(realm);
    case 'account':
      return accountUrl(realm);
  }
}

export const uiLocalesOf = (destination: Destination): readonly string[] =>
  destination.kind === 'account' ? [] : destination.request.uiLocales;

/** Where a submit on the way may end, beside our own address. */
export const redirectUriOf = (destination: Destination): string | null =>
  destination.kind === 'client' ? destination.request.target.redirectUri : null;

/** The form for the code of a device, filled in where one is given. */
export const devicePageUrl = ({ issuer }: Pick<Realm, 'issuer'>, userCode: string | null = null): string =>
  `${issuer}${devicePath}${userCode === null ? '' : `?${new URLSearchParams({ user_code: userCode })}`}`;

export const accountPath = '/account';

/** After a run the page says so, if it was to sign in again. */
export const accountUrl = ({ issuer }: Pick<Realm, 'issuer'>, request: AccountRequest | null = null): string =>
  `${issuer}${accountPath}${request === null || request.again === null ? '' : '?done=again'}`;
