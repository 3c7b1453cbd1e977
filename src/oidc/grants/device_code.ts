import { Type } from '@sinclair/typebox';
import { err, ok } from '../../core/result.ts';
import { countsFrom } from '../client.ts';
import { type DeviceCode, openDeviceCode } from '../device/device_code.ts';
import { type ErrorCode, type Refusal, refusal } from '../errors.ts';
import { defineParameters } from '../parameters.ts';
import type { DeviceRedemption } from '../ports.ts';
import { firstRefreshToken } from '../refresh_token.ts';
import { type GrantFacts, type GrantType, invalidGrant, type Redeem, refreshKeyOf } from './grant.ts';

const parameters = defineParameters(Type.Object({ device_code: Type.String({ maxLength: 1024 }) }));

/**
 * RFC 8628 §3.4, §3.5. A poll that finds the person's approval redeems it; PKCE has no part in it, since no code travels
 * through a browser. What the sealed code itself can answer costs no query.
 */
export const deviceCodeGrant: GrantType = {
  type: 'urn:ietf:params:oauth:grant-type:device_code',
  forClass: ['public', 'confidential'],
  signsIn: true,
  check(facts) {
    const { form, ring, realm, client, now } = facts;
    const sent = parameters.read(form);
    if (!sent.ok) return sent;
    const code = openDeviceCode(ring, realm.id, sent.value.device_code);
    if (typeof code === 'string' || code.content.client_id !== client.clientId) return err(refuseCode);
    if (code.content.expires_at + databaseClockTolerance <= now) return err(refusals.expired);
    return ok(poll(facts, code));
  },
};

/** The database's clock decides about expiry; this one only spares it what is long over. Milliseconds. */
const databaseClockTolerance = 2000;

function poll(facts: GrantFacts, { familyId, hash }: DeviceCode): Redeem {
  const { client, realm, presenter } = facts;
  const refreshToken = client.grantTypes.includes('refresh_token') ? firstRefreshToken(familyId) : null;
  return async (families) => {
    const redemption = await families.redeemDevice({
      familyId,
      realmId: realm.id,
      clientId: client.clientId,
      codeHash: hash,
      countsFrom: countsFrom(client, realm),
      secretHash: refreshToken?.secretHash ?? null,
      senderKey: refreshKeyOf(facts),
      presenter,
    });
    if (redemption.kind !== 'redeemed') return err(refusals[redemption.kind]);
    const { grant, userClaims } = redemption;
    return ok({ grant, scope: grant.scope, familyId, refreshToken, nonce: null, userClaims });
  };
}

const refuseCode = invalidGrant('the device code is unknown, used or not for this client', 'RFC 8628 §3.5');

const refuse = (error: ErrorCode, description: string): Refusal => refusal(error, description, 'RFC 8628 §3.5');

const refusals: { readonly [Kind in Exclude<DeviceRedemption['kind'], 'redeemed'>]: Refusal } = {
  pending: refuse('authorization_pending', 'nobody has decided about this device yet'),
  hurried: refuse('slow_down', 'polled too soon; the interval is 5 seconds longer from now on'),
  denied: refuse('access_denied', 'the user denied the request'),
  expired: refuse('expired_token', 'the device code has expired'),
  ended: refuseCode,
};
