import type { JWK } from 'jose';

/** What a peer is started with, as a JSON file: the first argument of its program. */
export type PeerSettings = {
  readonly port: number;
  readonly issuer: string;
  /** ES256, private. */
  readonly signingKey: JWK;
  readonly service: { readonly clientId: string; readonly clientSecret: string; readonly scope: string };
  readonly web: {
    readonly clientId: string;
    readonly clientSecret: string;
    readonly scope: string;
    readonly redirectUri: string;
    readonly codeChallenge: string;
  };
  readonly databaseUrl: string;
  readonly databaseConnections: number;
};

export async function readSettings(): Promise<PeerSettings> {
  const settings: PeerSettings = await Bun.file(process.argv[2] ?? '').json();
  return settings;
}
