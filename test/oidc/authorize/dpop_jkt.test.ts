import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { encodeBase64url } from '../../../src/core/base64url.ts';
import { checkDpopJkt } from '../../../src/oidc/authorize/dpop_jkt.ts';
import { isResponseType, responseTypeNames, returns } from '../../../src/oidc/authorize/response_type.ts';
import { challenge, granted, refused, spa, withSettings } from '../parties.ts';

const off = withSettings(spa, { dpop: 'off' });
const required = withSettings(spa, { dpop: 'required' });
const bound = { ...spa, metadata: { dpop_bound_access_tokens: true } };

describe('RFC 9449 §10: dpop_jkt', () => {
  test('property: the base64url of any 256 bits is a thumbprint', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(granted(checkDpopJkt(encodeBase64url(bytes), 'code', spa))).toBe(encodeBase64url(bytes));
      }),
    );
  });

  test.each(['', 'x', challenge.slice(1), `${challenge}A`, `${challenge}=`, challenge.replace('-', '+')])(
    '%j is invalid_request',
    (thumbprint) => {
      expect(refused(checkDpopJkt(thumbprint, 'code', spa))).toMatchObject({
        error: 'invalid_request',
        parameter: 'dpop_jkt',
      });
    },
  );

  test('none is none, also for a client that gets bound tokens only: it proves its key with the code', () => {
    for (const client of [spa, required, bound]) expect(granted(checkDpopJkt(undefined, 'code', client))).toBeNull();
  });

  test('where DPoP is off it means nothing', () => {
    expect(granted(checkDpopJkt(challenge, 'code', off))).toBeNull();
    expect(granted(checkDpopJkt('nonsense', 'code', off))).toBeNull();
  });
});

describe('RFC 9449 §5.2: a client that gets bound tokens only', () => {
  test.each(responseTypeNames.filter(isResponseType))('response_type %s', (type) => {
    for (const client of [required, bound]) {
      const checked = checkDpopJkt(undefined, type, client);
      expect(checked.ok).toBe(!returns(type, 'token'));
      if (!checked.ok) expect(checked.error.error).toBe('unauthorized_client');
    }
    expect(checkDpopJkt(undefined, type, spa).ok).toBe(true);
  });
});
