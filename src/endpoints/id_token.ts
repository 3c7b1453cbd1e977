import type { Client } from '../oidc/client.ts';
import { idTokenAlgorithmOf } from '../oidc/id_token.ts';
import type { JweRecipient } from '../oidc/response_encryption.ts';
import { type RealmKeys, signerOf } from './dependencies.ts';

/** OIDC Core §2: signed, then encrypted (§10.2) where the client registered that. `recipient` was chosen before. */
export function issueIdToken(
  keys: RealmKeys,
  client: Client,
  claims: object,
  recipient: JweRecipient | null,
): string | Promise<string> {
  const signed = signerOf(keys, idTokenAlgorithmOf(client)).sign('JWT', claims);
  return recipient === null ? signed : encrypted(signed, recipient);
}

const encrypted = async (signed: string | Promise<string>, { encrypt }: JweRecipient): Promise<string> =>
  encrypt(await signed, 'JWT');
