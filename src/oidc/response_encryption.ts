import { CompactEncrypt, importJWK, type JWK } from 'jose';
import { err, ok, type Result } from '../core/result.ts';
import type { Client } from './client.ts';
import type { ClientKeys, KeyOwner, KeySet } from './client_keys.ts';
import { type Refusal, refusal } from './errors.ts';

/** What is encrypted to a client that registered it (OIDC Registration §2, RFC 9701 §6), by the metadata's wire names. */
export const encryptedResponses = ['id_token', 'userinfo', 'introspection'] as const;
export type EncryptedResponse = (typeof encryptedResponses)[number];

type KeyKind = { readonly kty: string; readonly crv?: string };

const ellipticCurves: readonly KeyKind[] = [
  { kty: 'EC', crv: 'P-256' },
  { kty: 'EC', crv: 'P-384' },
  { kty: 'EC', crv: 'P-521' },
  { kty: 'OKP', crv: 'X25519' },
];

/**
 * Key management (RFC 7518 §4.1) with the keys that it takes. Asymmetric only: a shared key would be the client's secret,
 * of which there is a hash. Never RSA1_5, whose padding tells of itself (RFC 8725 §3.2).
 */
const keysOfAlgorithm: ReadonlyMap<string, readonly KeyKind[]> = new Map([
  ['RSA-OAEP-256', [{ kty: 'RSA' }]],
  ['ECDH-ES', ellipticCurves],
  ['ECDH-ES+A256KW', ellipticCurves],
]);
export const encryptionAlgorithms: readonly string[] = [...keysOfAlgorithm.keys()];

/** RFC 7518 §5.1; the first is the default (OIDC Registration §2). */
export const contentEncryptions = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const;

export type Encryption = { readonly alg: string; readonly enc: string };

/** null: the client registered none, which is all that it costs. */
export function encryptionOf({ metadata }: Pick<Client, 'metadata'>, response: EncryptedResponse): Encryption | null {
  const alg = metadata[`${response}_encrypted_response_alg`];
  if (alg === undefined) return null;
  return { alg, enc: metadata[`${response}_encrypted_response_enc`] ?? contentEncryptions[0] };
}

export type JweRecipient = {
  /** A compact JWE (RFC 7516 §7.1). `cty` is `JWT` for what is signed: a nested JWT (RFC 7519 §5.2). */
  readonly encrypt: (content: string, cty?: 'JWT') => Promise<string>;
};

/**
 * The key of the client that a response is encrypted to; null: nothing is to be encrypted. For before anything is consumed:
 * a key that is given here can encrypt. One that is not found is looked for once more where the client publishes its keys.
 */
export async function chooseRecipient(
  clientKeys: ClientKeys,
  client: KeyOwner,
  response: EncryptedResponse,
): Promise<Result<JweRecipient | null, Refusal>> {
  const encryption = encryptionOf(client, response);
  if (encryption === null) return ok(null);
  const known = await clientKeys.current(client);
  const found = await recipientIn(known, encryption);
  if (found !== null) return ok(found);
  const renewed = await clientKeys.renewed(client);
  const again = renewed === known ? null : await recipientIn(renewed, encryption);
  if (again !== null) return ok(again);
  return err(known === null && renewed === null ? keysUnavailable : noKey);
}

const keysUnavailable = refusal(
  'temporarily_unavailable',
  'the keys of this client, to which the response must be encrypted, cannot be had now; try again later',
  'OIDC Core §10.2',
);

const noKey = refusal(
  'invalid_client_metadata',
  'this client has no public key that the response can be encrypted to with the algorithm that it registered',
  'OIDC Core §10.2',
);

async function recipientIn(keySet: KeySet | null, encryption: Encryption): Promise<JweRecipient | null> {
  for (const key of encryptionKeys(keySet?.keys ?? [], encryption.alg)) {
    const recipient = await recipientWith(key, encryption);
    if (recipient !== null) return recipient;
  }
  return null;
}

/** Those that may be encrypted to with this algorithm; `use: enc` before those that do not say (RFC 7517 §4.2). */
export function encryptionKeys(keys: readonly JWK[], algorithm: string): readonly JWK[] {
  const kinds = keysOfAlgorithm.get(algorithm) ?? [];
  const fitting = keys.filter(
    (key) =>
      kinds.some(({ kty, crv }) => kty === key.kty && (crv === undefined || crv === key.crv)) &&
      (key.alg === undefined || key.alg === algorithm) &&
      (key.use === undefined || key.use === 'enc') &&
      (key.key_ops === undefined || key.key_ops.some((operation) => encrypting.has(operation))),
  );
  return [...fitting.filter(({ use }) => use === 'enc'), ...fitting.filter(({ use }) => use === undefined)];
}

/** RFC 7517 §4.3. */
const encrypting: ReadonlySet<string> = new Set(['encrypt', 'wrapKey', 'deriveKey', 'deriveBits']);

/** null: it is no key. Some show that only when they are used (an RSA modulus that is even or short, X25519 of zeros). */
async function recipientWith(jwk: JWK, { alg, enc }: Encryption): Promise<JweRecipient | null> {
  const { kid } = jwk;
  try {
    const key = await importJWK(bareKey(jwk), alg);
    const encrypt: JweRecipient['encrypt'] = (content, cty) =>
      new CompactEncrypt(new TextEncoder().encode(content))
        .setProtectedHeader({
          alg,
          enc,
          ...(kid === undefined ? {} : { kid }),
          ...(cty === undefined ? {} : { cty }),
        })
        .encrypt(key);
    await encrypt('');
    return { encrypt };
  } catch {
    return null;
  }
}

/** Without the members that say what it is for: they were judged, and an import would judge them otherwise. */
const bareKey = ({ use: _, key_ops: __, alg: ___, ext: ____, ...bare }: JWK): JWK => bare;

export type EncryptionFault = { readonly member: string; readonly sentence: string };

/** What is wrong with what a registration says of encryption (OIDC Registration §2). */
export function encryptionFaults({ jwks, metadata }: KeyOwner): readonly EncryptionFault[] {
  return encryptedResponses.flatMap((response) => {
    const names = {
      alg: `${response}_encrypted_response_alg`,
      enc: `${response}_encrypted_response_enc`,
    } as const;
    const { [names.alg]: alg, [names.enc]: enc } = metadata;
    const faults: EncryptionFault[] = [];
    if (enc !== undefined && !contentEncryptions.some((known) => known === enc)) {
      faults.push({ member: names.enc, sentence: `must be one of ${contentEncryptions.join(', ')}` });
    }
    if (enc !== undefined && alg === undefined) {
      faults.push({ member: names.enc, sentence: `says nothing without ${names.alg}` });
    }
    const sentence = alg === undefined ? null : faultOfAlgorithm(alg, jwks, metadata.jwks_uri);
    return sentence === null ? faults : [...faults, { member: names.alg, sentence }];
  });
}

/** What shares its key with the client (RFC 7518 §4.4 to §4.8). */
const symmetric = /^(dir|A\d+(GCM)?KW|PBES2-)/;

function faultOfAlgorithm(algorithm: string, jwks: Client['jwks'], jwksUri: string | undefined): string | null {
  const listed = `must be one of ${encryptionAlgorithms.join(', ')}`;
  if (symmetric.test(algorithm)) return `is symmetric, and no key is shared with a client here; it ${listed}`;
  if (!keysOfAlgorithm.has(algorithm)) return listed;
  if (jwks === null) return jwksUri === undefined ? 'needs public keys, in jwks or at jwks_uri' : null;
  return encryptionKeys(jwks.keys, algorithm).length === 0
    ? `needs a key in jwks that ${algorithm} can encrypt to, with the use enc or none`
    : null;
}
