import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { checkAcr, defaultAcr } from '../../../src/oidc/authorize/acr_values.ts';
import { granted, refused, web, withSettings } from '../parties.ts';

const reachable = ['pwd', 'mfa'];
const strict = withSettings(web, { acrValues: 'required' });
const nothing = { values: [], essential: false };
const registered = { ...web, metadata: { default_acr_values: ['mfa'] } };

describe('OIDC Core §3.1.2.1, §5.5.1.1; Registration §2', () => {
  test('the claims parameter wins over acr_values, and those over what the client is registered with', () => {
    const claimed = { values: ['pwd'], essential: false };
    expect(granted(checkAcr('mfa', claimed, registered, reachable))).toEqual(claimed);
    expect(granted(checkAcr('pwd', nothing, registered, reachable)).values).toEqual(['pwd']);
    expect(granted(checkAcr(undefined, nothing, registered, reachable)).values).toEqual(['mfa']);
    expect(granted(checkAcr(undefined, nothing, web, reachable))).toEqual(nothing);
  });

  test('acr_values are a wish: what nobody here knows is no obstacle', () => {
    expect(granted(checkAcr('1 2', nothing, web, reachable))).toEqual({ values: ['1', '2'], essential: false });
  });
});

describe('RFC 9470 §5, OIDC Unmet Authentication Requirements 1.0', () => {
  test('where the policy takes them for a demand, they are essential', () => {
    expect(granted(checkAcr('phr mfa', nothing, strict, reachable))).toEqual({
      values: ['phr', 'mfa'],
      essential: true,
    });
    expect(granted(checkAcr(undefined, nothing, strict, reachable))).toEqual(nothing);
  });

  test('what is registered is demanded alike', () => {
    const client = { ...strict, metadata: { default_acr_values: ['phr'] } };
    expect(refused(checkAcr(undefined, nothing, client, reachable)).error).toBe('unmet_authentication_requirements');
    expect(defaultAcr(client)).toEqual({ values: ['phr'], essential: true });
    expect(defaultAcr(registered)).toEqual({ values: ['mfa'], essential: false });
    expect(defaultAcr(strict)).toEqual(nothing);
  });

  const values = fc.subarray(['pwd', 'mfa', 'phr', 'phrh']);
  test('property: refused exactly where it is a demand of which nothing can be reached', () => {
    fc.assert(
      fc.property(values, values, fc.boolean(), fc.boolean(), (sent, claimed, essential, isStrict) => {
        const client = isStrict ? strict : web;
        const result = checkAcr(sent.join(' '), { values: claimed, essential }, client, reachable);
        const asked = claimed.length > 0 ? claimed : sent;
        const isDemand = isStrict || (essential && claimed.length > 0);
        const isHopeless = asked.length > 0 && !asked.some((value) => reachable.includes(value));
        expect(result.ok).toBe(!(isDemand && isHopeless));
        if (result.ok) expect(result.value).toEqual({ values: asked, essential: isDemand && asked.length > 0 });
      }),
    );
  });
});
