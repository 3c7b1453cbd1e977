import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { err, ok, type Result } from '../core/result.ts';
import { type Refusal, refusal } from './errors.ts';
import { claimNames } from './standard_claims.ts';

/** OIDC Core §5.5. What is kept: the claims asked for by name, and the demands on `sub` and `acr` that the sign-in must meet. */
export type ClaimsRequest = {
  readonly userinfo: readonly string[];
  readonly idToken: readonly string[];
  /** `sub` with a value: only this subject will do (OIDC Core §5.5.1). */
  readonly subject: string | null;
  readonly acr: { readonly values: readonly string[]; readonly essential: boolean };
};

export const noClaims: ClaimsRequest = {
  userinfo: [],
  idToken: [],
  subject: null,
  acr: { values: [], essential: false },
};

const text = Type.String({ maxLength: 512 });
const individual = Type.Union([
  Type.Null(),
  Type.Object({
    essential: Type.Optional(Type.Boolean()),
    value: Type.Optional(Type.Unknown()),
    values: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 20 })),
  }),
]);
const members = Type.Record(text, individual);
const schema = TypeCompiler.Compile(
  Type.Object({
    userinfo: Type.Optional(Type.Union([Type.Null(), members])),
    id_token: Type.Optional(Type.Union([Type.Null(), members])),
  }),
);

export function parseClaims(parameter: string | undefined): Result<ClaimsRequest, Refusal> {
  if (parameter === undefined) return ok(noClaims);
  const document = parseJson(parameter);
  if (!schema.Check(document)) {
    return err(refusal('invalid_request', 'claims is not a claims request object', 'OIDC Core §5.5', 'claims'));
  }
  const idToken = document.id_token ?? {};
  const userinfo = document.userinfo ?? {};
  const subject = demandedSubject([idToken['sub']?.value, userinfo['sub']?.value]);
  if (!subject.ok) return subject;
  const acr = idToken['acr'];
  const acrValues = [acr?.value, ...(acr?.values ?? [])].filter((value) => value !== undefined);
  // Dropping what cannot be one would lower an essential demand.
  if (!acrValues.every(isAcrValue)) {
    return err(refusal('invalid_request', 'claims holds an acr that cannot be one', 'OIDC Core §5.5.1.1', 'claims'));
  }
  return ok({
    userinfo: knownNames(userinfo),
    idToken: knownNames(idToken),
    subject: subject.value,
    acr: { values: acrValues, essential: acr?.essential === true },
  });
}

/** Where `sub` is demanded in both places it must be the same; what is no string names nobody. */
function demandedSubject(values: readonly unknown[]): Result<string | null, Refusal> {
  const [subject, another] = new Set(values.filter((value) => value !== undefined));
  if (subject === undefined) return ok(null);
  return typeof subject === 'string' && another === undefined
    ? ok(subject)
    : err(refusal('login_required', 'the subject asked for cannot sign in', 'OIDC Core §5.5.1', 'claims'));
}

/** The parameter acr_values lists them with spaces between, so that a value has none (OIDC Core §3.1.2.1). */
const isAcrValue = (value: unknown): value is string => typeof value === 'string' && /^[!-~]{1,255}$/.test(value);

const knownNames = (asked: { readonly [name: string]: unknown }): readonly string[] =>
  claimNames.filter((name) => Object.hasOwn(asked, name));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
