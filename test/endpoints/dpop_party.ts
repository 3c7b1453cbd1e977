import { athOf, type ProofMaker } from '../oidc/dpop_proof.ts';
import { authorize, basic, codeOf, codeVerifier, type Parameters, type Party, post } from './relying_party.ts';

/** A client that proves a key with what it sends. */

type Claims = { readonly [claim: string]: unknown };

export const proofFor = (
  key: ProofMaker,
  party: Pick<Party, 'issuer'>,
  path: string,
  method: string,
  more: Claims = {},
) => key.prove({ htm: method, htu: party.issuer + path, ...more });

/** To the token endpoint with this proof; null: without one. */
export async function tokenRequest(
  party: Party,
  fields: Parameters,
  proof: string | Promise<string> | null,
): Promise<Response> {
  const dpop = await proof;
  const headers = {
    ...(dpop === null ? {} : { dpop }),
    ...(party.secret === null ? {} : { authorization: basic(party.clientId, party.secret) }),
  };
  const named = party.secret === null ? { client_id: party.clientId, ...fields } : fields;
  return post(`${party.issuer}/token`, named, headers);
}

export const tokenProof = (key: ProofMaker, party: Party, more: Claims = {}) =>
  proofFor(key, party, '/token', 'POST', more);

export const codeFields = (party: Party, back: URL): Parameters => ({
  grant_type: 'authorization_code',
  code: codeOf(back),
  redirect_uri: party.redirectUri,
  ...(party.secret === null ? { code_verifier: codeVerifier } : {}),
});

export const refreshFields = (refreshToken: string): Parameters => ({
  grant_type: 'refresh_token',
  refresh_token: refreshToken,
});

/** Signs in and redeems the code with a proof by this key. */
export const redeemWith = async (
  party: Party,
  user: Parameters & { readonly username: string; readonly password: string },
  key: ProofMaker,
  parameters: Parameters = {},
): Promise<Response> =>
  tokenRequest(party, codeFields(party, await authorize(party, user, parameters)), tokenProof(key, party));

export const userinfoProof = (key: ProofMaker, party: Party, accessToken: string, more: Claims = {}) =>
  proofFor(key, party, '/userinfo', 'GET', { ath: athOf(accessToken), ...more });

export async function userinfoWith(
  party: Party,
  accessToken: string,
  proof: string | Promise<string> | null,
  scheme = 'DPoP',
): Promise<Response> {
  const dpop = await proof;
  const headers = { authorization: `${scheme} ${accessToken}`, ...(dpop === null ? {} : { dpop }) };
  return fetch(`${party.issuer}/userinfo`, { headers });
}
