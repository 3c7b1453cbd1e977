import type { ClientMetadata } from '../../oidc/client.ts';
import { contentEncryptions, encryptionAlgorithms } from '../../oidc/response_encryption.ts';
import type { Option } from '../command.ts';

const signing = (member: string) => ({ type: 'text', value: '<alg>', sentence: `${member}.` }) as const;
const encryption = (member: string) =>
  ({ type: 'text', value: '<alg>', sentence: `${member}: ${encryptionAlgorithms.join(', ')}.` }) as const;
const content = (member: string) =>
  ({ type: 'text', value: '<enc>', sentence: `${member}: ${contentEncryptions.join(', ')}.` }) as const;

/** How responses to a client are signed and encrypted, and how it signs (OIDC Registration §2, RFC 9701 §6). */
export const responseOptions = {
  'auth-signing-alg': signing('token_endpoint_auth_signing_alg'),
  'id-token-encryption-alg': encryption('id_token_encrypted_response_alg'),
  'id-token-encryption-enc': content('id_token_encrypted_response_enc'),
  'userinfo-alg': signing('userinfo_signed_response_alg'),
  'userinfo-encryption-alg': encryption('userinfo_encrypted_response_alg'),
  'userinfo-encryption-enc': content('userinfo_encrypted_response_enc'),
  'introspection-alg': signing('introspection_signed_response_alg'),
  'introspection-encryption-alg': encryption('introspection_encrypted_response_alg'),
  'introspection-encryption-enc': content('introspection_encrypted_response_enc'),
} as const satisfies { readonly [name: string]: Option };

type ResponseValues = { readonly [Name in keyof typeof responseOptions]: string | undefined };

/** The options' values by the metadata's wire names. */
export const responseMetadata = (values: ResponseValues) =>
  ({
    token_endpoint_auth_signing_alg: values['auth-signing-alg'],
    id_token_encrypted_response_alg: values['id-token-encryption-alg'],
    id_token_encrypted_response_enc: values['id-token-encryption-enc'],
    userinfo_signed_response_alg: values['userinfo-alg'],
    userinfo_encrypted_response_alg: values['userinfo-encryption-alg'],
    userinfo_encrypted_response_enc: values['userinfo-encryption-enc'],
    introspection_signed_response_alg: values['introspection-alg'],
    introspection_encrypted_response_alg: values['introspection-encryption-alg'],
    introspection_encrypted_response_enc: values['introspection-encryption-enc'],
  }) satisfies { readonly [Member in keyof ClientMetadata]: string | undefined };
