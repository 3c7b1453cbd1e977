import { err, ok, type Result } from '../../core/result.ts';
import type { ClaimsRequest } from '../claims_parameter.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';

export type AcrDemand = ClaimsRequest['acr'];

/**
 * The classes asked for: by the claims parameter, else `acr_values`, else what the client is registered with (OIDC Core
 * §3.1.2.1, §5.5.1.1, Registration §2 `default_acr_values`). A wish, unless the claim is essential or the client's policy
 * takes it for a demand, as RFC 9470 §5 recommends: one that no sign-in here can meet is refused before anybody signs in.
 */
export function checkAcr(
  sent: string | undefined,
  claimed: AcrDemand,
  client: Pick<Client, 'metadata' | 'settings'>,
  reachable: readonly string[],
): Result<AcrDemand, Refusal> {
  const asked = sent?.split(' ').filter((value) => value !== '');
  const named = asked === undefined ? defaultAcr(client) : underPolicy({ values: asked, essential: false }, client);
  const demand = claimed.values.length > 0 ? underPolicy(claimed, client) : named;
  return !demand.essential || demand.values.some((value) => reachable.includes(value))
    ? ok(demand)
    : err(unreachableAcr);
}

/** For a request that can name no classes, or names none. */
export const defaultAcr = (client: Pick<Client, 'metadata' | 'settings'>): AcrDemand =>
  underPolicy({ values: client.metadata.default_acr_values ?? [], essential: false }, client);

const underPolicy = ({ values, essential }: AcrDemand, { settings }: Pick<Client, 'settings'>): AcrDemand => ({
  values,
  essential: values.length > 0 && (essential || settings.acrValues === 'required'),
});

const unreachableAcr = refusal(
  'unmet_authentication_requirements',
  'no sign-in here reaches the authentication context asked for',
  'OIDC Unmet Authentication Requirements 1.0',
  'acr_values',
);
