import { type Static, Type } from '@sinclair/typebox';

/**
 * OIDC Core §5.1 and §5.4: one row per claim. Userinfo, the `claims` parameter, discovery and what a user record may hold
 * all come from here.
 */
const text = Type.String({ minLength: 1, maxLength: 1024 });
const uri = Type.String({ minLength: 1, maxLength: 2048, pattern: '^https?://[!-~]+$' });

const rows = {
  name: { scope: 'profile', schema: text },
  given_name: { scope: 'profile', schema: text },
  family_name: { scope: 'profile', schema: text },
  middle_name: { scope: 'profile', schema: text },
  nickname: { scope: 'profile', schema: text },
  preferred_username: { scope: 'profile', schema: text },
  profile: { scope: 'profile', schema: uri },
  picture: { scope: 'profile', schema: uri },
  website: { scope: 'profile', schema: uri },
  gender: { scope: 'profile', schema: text },
  birthdate: { scope: 'profile', schema: Type.String({ pattern: '^(\\d{4}|\\d{4}-\\d{2}-\\d{2})$' }) },
  zoneinfo: { scope: 'profile', schema: text },
  locale: { scope: 'profile', schema: Type.String({ pattern: '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$' }) },
  updated_at: { scope: 'profile', schema: Type.Integer({ minimum: 0 }) },
  email: { scope: 'email', schema: Type.String({ maxLength: 320, pattern: '^[^@\\s]+@[^@\\s]+$' }) },
  email_verified: { scope: 'email', schema: Type.Boolean() },
  address: {
    scope: 'address',
    schema: Type.Partial(
      Type.Object(
        { formatted: text, street_address: text, locality: text, region: text, postal_code: text, country: text },
        { additionalProperties: false },
      ),
    ),
  },
  phone_number: { scope: 'phone', schema: Type.String({ pattern: '^\\+?[0-9 ().;=a-z-]{3,64}$' }) },
  phone_number_verified: { scope: 'phone', schema: Type.Boolean() },
} as const;

export type ClaimName = keyof typeof rows;

export const claimNames: readonly string[] = Object.keys(rows);

const claimProperties = Object.fromEntries(Object.entries(rows).map(([name, { schema }]) => [name, schema])) as {
  [Name in ClaimName]: (typeof rows)[Name]['schema'];
};

/** What a user record may say of a person. */
export const standardClaimsSchema = Type.Partial(Type.Object(claimProperties, { additionalProperties: false }));
export type StandardClaims = Static<typeof standardClaimsSchema>;

/** The claims that a scope value asks for (OIDC Core §5.4). */
export const claimsOfScope = (scope: string): readonly string[] =>
  Object.entries(rows)
    .filter(([, claim]) => claim.scope === scope)
    .map(([name]) => name);

/** The scopes that release these claims: whoever asks for a claim by name needs what its scope needs. */
export const scopesOfClaims = (names: readonly string[]): readonly string[] => [
  ...new Set(
    Object.entries(rows)
      .filter(([name]) => names.includes(name))
      .map(([, { scope }]) => scope),
  ),
];

export const claimScopes: readonly string[] = [...new Set(Object.values(rows).map((claim) => claim.scope))];
