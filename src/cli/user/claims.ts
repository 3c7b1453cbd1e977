import { Value } from '@sinclair/typebox/value';
import { nearestName } from '../../core/nearest_name.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { claimNames, type StandardClaims, standardClaimsSchema } from '../../oidc/standard_claims.ts';
import type { Refused } from '../administration.ts';
import type { Option, Values } from '../command.ts';

export const claimOptions = {
  email: { type: 'text', value: '<address>', sentence: 'The claim email. It also finds the account at sign-in.' },
  'email-verified': { type: 'flag', sentence: 'The address is known to be theirs.' },
  claim: {
    type: 'list',
    value: '<name>=<value>',
    sentence: 'A standard claim (OIDC Core §5.1); address in JSON; an empty value takes the claim away.',
  },
} as const satisfies { readonly [name: string]: Option };

/** What was there, with the changes; each is checked by its own claim's schema. */
export function changeClaims(
  before: StandardClaims,
  values: Values<typeof claimOptions>,
): Result<StandardClaims, Refused> {
  const typed = [
    ...(values.email === undefined ? [] : [`email=${values.email}`]),
    ...(values['email-verified'] ? ['email_verified=true'] : []),
    ...values.claim,
  ];
  const claims: { [name: string]: unknown } = { ...before };
  // Another address is one that nobody has verified.
  if (values.email !== undefined && values.email !== before.email) delete claims['email_verified'];
  const faults: string[] = [];
  for (const change of typed) {
    const at = change.indexOf('=');
    const name = at === -1 ? change : change.slice(0, at);
    if (at === -1) faults.push(`--claim takes <name>=<value>; got "${change}"`);
    else if (!claimNames.includes(name)) faults.push(unknownClaim(name));
    else if (at === change.length - 1) delete claims[name];
    else {
      const value = claimValue(name, change.slice(at + 1));
      if (value === undefined) faults.push(`the claim ${name} cannot be "${change.slice(at + 1)}"`);
      else claims[name] = value;
    }
  }
  if (faults.length > 0) return err(faults);
  return isStandardClaims(claims) ? ok(claims) : err(['the claims do not go together']);
}

const isStandardClaims = (claims: unknown): claims is StandardClaims => Value.Check(standardClaimsSchema, claims);

/** The text itself, or what it says in JSON, whichever the claim allows. */
function claimValue(name: string, typed: string): unknown {
  return [typed, fromJson(typed)].find((value) => value !== undefined && isStandardClaims({ [name]: value }));
}

function fromJson(typed: string): unknown {
  try {
    return JSON.parse(typed);
  } catch {
    return undefined;
  }
}

function unknownClaim(name: string): string {
  const nearest = nearestName(name, claimNames);
  return `there is no standard claim "${name}"; ${nearest === undefined ? `there are: ${claimNames.join(', ')}` : `did you mean ${nearest}?`}`;
}
