import { Type } from '@sinclair/typebox';
import { err, ok, type Result } from '../../core/result.ts';
import { audienceFor } from '../authorize/resource.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';
import { deviceCodeGrant } from '../grants/device_code.ts';
import { defineParameters, type Form } from '../parameters.ts';
import type { Realm } from '../realm.ts';
import { grantableScope } from '../scope.ts';

const parameters = defineParameters(
  Type.Object({
    scope: Type.Optional(Type.String({ maxLength: 2048 })),
    resource: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 10 })),
  }),
);

export type DeviceAsked = { readonly scope: readonly string[]; readonly audience: readonly string[] };

/** RFC 8628 §3.1: the client is authenticated; what it may ask for is what it may ask for at the authorization endpoint. */
export function checkDeviceAuthorization(
  form: Form,
  client: Client,
  { issuer }: Pick<Realm, 'issuer'>,
): Result<DeviceAsked, Refusal> {
  if (!mayUseDevices(client)) return err(notRegistered);
  const sent = parameters.read(form);
  if (!sent.ok) return sent;
  const scope = grantableScope(sent.value.scope, client);
  if (!scope.ok) return scope;
  const audience = audienceFor(sent.value.resource, client, issuer, scope.value);
  return audience.ok ? ok({ scope: scope.value, audience: audience.value }) : audience;
}

export const mayUseDevices = ({ grantTypes, class: clientClass }: Pick<Client, 'grantTypes' | 'class'>): boolean =>
  grantTypes.includes(deviceCodeGrant.type) && deviceCodeGrant.forClass.includes(clientClass);

const notRegistered = refusal('unauthorized_client', 'this client may not use the device grant', 'RFC 8628 §3.1');
