import { compactDecrypt, decodeProtectedHeader, exportJWK, generateKeyPair, type JWK } from 'jose';

/** A relying party's key for what is encrypted to it, and how it reads that. */
export type EncryptionKey = {
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
  readonly decrypt: (jwe: string) => Promise<{ readonly header: object; readonly text: string }>;
};

export async function newEncryptionKey(alg = 'ECDH-ES', kid = 'enc'): Promise<EncryptionKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, use: 'enc' },
    privateKey,
    async decrypt(jwe) {
      const { plaintext } = await compactDecrypt(jwe, privateKey);
      return { header: decodeProtectedHeader(jwe), text: new TextDecoder().decode(plaintext) };
    },
  };
}

/** Keys at a URL of this machine, as the relying party publishes them from time to time. */
export function publishKeys() {
  const state: { answer: () => Response; asked: number } = {
    answer: () => new Response(null, { status: 500 }),
    asked: 0,
  };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => {
      state.asked += 1;
      return state.answer();
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/jwks`,
    asked: () => state.asked,
    publish: (...keys: readonly JWK[]) => {
      state.answer = () => Response.json({ keys });
    },
    fail: () => {
      state.answer = () => new Response(null, { status: 500 });
    },
    stop: () => server.stop(true),
  };
}
