import { Type } from '@sinclair/typebox';
import { brandId, type FamilyId } from '../../core/ids.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import { type AuthorizationCode, type CodeContent, grantOfCode, openCode } from '../authorization_code.ts';
import { checkCodeVerifier, pkceRequired } from '../authorize/pkce.ts';
import { narrowedAudience } from '../authorize/resource.ts';
import { type Client, countsFrom } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';
import { defineParameters } from '../parameters.ts';
import type { Realm } from '../realm.ts';
import { firstRefreshToken } from '../refresh_token.ts';
import { type GrantFacts, type GrantType, invalidGrant, type Redeem, refreshKeyOf, refuseSpent } from './grant.ts';

const parameters = defineParameters(
  Type.Object({
    code: Type.String({ maxLength: 4096 }),
    redirect_uri: Type.Optional(Type.String({ maxLength: 2048 })),
    code_verifier: Type.Optional(Type.String({ maxLength: 512 })),
    resource: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 10 })),
  }),
);

/** RFC 6749 §4.1.3. Everything that the code itself can answer is checked before it is consumed. */
export const authorizationCode: GrantType = {
  type: 'authorization_code',
  forClass: ['public', 'confidential'],
  signsIn: true,
  spendsProofs: true,
  check(facts) {
    const { form, ring, realm } = facts;
    const sent = parameters.read(form);
    if (!sent.ok) return sent;
    const code = openCode(ring, realm.id, sent.value.code);
    if (typeof code === 'string') return err(refuseCode);
    const bound = checkBinding(code.content, sent.value.redirect_uri, facts);
    if (!bound.ok) return bound;
    const proven = checkCodeVerifier(code.content.code_challenge, sent.value.code_verifier);
    if (!proven.ok) return proven;
    if (code.content.dpop_jkt !== undefined && code.content.dpop_jkt !== facts.senderKey) return err(otherKey);
    const asked = checkResource(sent.value.resource, code.content.audience);
    if (!asked.ok) return asked;
    return ok(
      redeem(facts, code, narrowedAudience(asked.value, code.content.audience, realm.issuer, code.content.scope)),
    );
  },
};

const refuseCode = invalidGrant('the code is unknown, expired, used or not for this client', 'RFC 6749 §5.2');

const otherKey = invalidGrant('the code is bound to another DPoP key (dpop_jkt)', 'RFC 9449 §10');

function checkBinding(
  code: CodeContent,
  redirectUri: string | undefined,
  { client, realm, now }: { readonly client: Client; readonly realm: Realm; readonly now: Instant },
): Result<null, Refusal> {
  const forThisClient = code.client_id === client.clientId && code.issued_at >= countsFrom(client, realm);
  if (!forThisClient || code.expires_at + databaseClockTolerance <= now) return err(refuseCode);
  if (redirectUri === undefined) {
    // OAuth 2.1 §4.1.3: PKCE does what repeating the URI did.
    return code.code_challenge === null ? err(missingRedirectUri) : ok(null);
  }
  if (redirectUri !== code.redirect_uri) {
    return err(invalidGrant('redirect_uri is not the one of the authorization request', 'RFC 6749 §4.1.3'));
  }
  // The policy may have been tightened after the code was issued.
  if (code.code_challenge === null && pkceRequired(client)) return err(refuseCode);
  return ok(null);
}

const missingRedirectUri = refusal('invalid_request', 'redirect_uri is missing', 'RFC 6749 §4.1.3', 'redirect_uri');

/** The database's clock decides about expiry; this one only spares it what is long over. Milliseconds. */
const databaseClockTolerance = 2000;

/** RFC 8707 §2.2: a token request may ask for some of the resources that were granted; null: it does not ask. */
function checkResource(
  asked: readonly string[] | undefined,
  granted: readonly string[],
): Result<readonly string[] | null, Refusal> {
  if (asked === undefined || asked.length === 0) return ok(null);
  if (!asked.every((resource) => granted.includes(resource))) {
    return err(
      refusal('invalid_target', 'resource was not part of the authorization request', 'RFC 8707 §2.2', 'resource'),
    );
  }
  return ok(asked);
}

/** The family keeps all that was granted: a refresh may ask for another part of it (RFC 8707 §2.2). */
function redeem(facts: GrantFacts, { familyId, content }: AuthorizationCode, audience: readonly string[]): Redeem {
  const { client, realm, presenter, proofs } = facts;
  const refreshes = client.grantTypes.includes('refresh_token');
  const refreshToken = refreshes ? firstRefreshToken(familyId) : null;
  const grant = grantOfCode(content);
  return async (families) => {
    const redemption = await families.redeem({
      familyId,
      realmId: realm.id,
      grant,
      offline: content.scope.includes('offline_access'),
      secretHash: refreshToken?.secretHash ?? null,
      codeIssuedAt: content.issued_at,
      codeExpiresAt: content.expires_at,
      frontFamilyId: content.front_family_id === null ? null : brandId<FamilyId>(content.front_family_id),
      senderKey: refreshKeyOf(facts),
      presenter,
      proofs,
    });
    if (redemption.kind === 'proof_spent') return err(refuseSpent(redemption.proof));
    if (redemption.kind !== 'redeemed') return err(refuseCode);
    const { userClaims } = redemption;
    return ok({
      grant: { ...grant, audience },
      scope: grant.scope,
      familyId,
      refreshToken,
      nonce: content.nonce,
      userClaims,
    });
  };
}
