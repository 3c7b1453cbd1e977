import { sha256 } from '../../core/crypto.ts';
import { foldIdentifier } from '../../core/lockout.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';
import { refuseChosenSecret } from '../../oidc/client_auth/chosen_secret.ts';
import type { Refused } from '../administration.ts';
import { checkPassword } from '../password.ts';
import type { WantedClient } from './client.ts';
import type { ApplyDocument, ClientEntry, RealmEntry, UserEntry } from './document.ts';
import { readSecretSource, type SecretPlaces } from './secret_source.ts';
import type { WantedUser } from './user.ts';

export type WantedRealm = {
  readonly entry: RealmEntry;
  readonly clients: readonly WantedClient[];
  readonly users: readonly WantedUser[];
};

export type HashPassword = (password: Secret) => Promise<Secret>;

/** The document with all that it refers to; or every fault that shows without a database. */
export async function readWanted(
  document: ApplyDocument,
  places: SecretPlaces,
  hashPassword: HashPassword,
): Promise<Result<readonly WantedRealm[], Refused>> {
  const faults: string[] = [...twice(document)];
  const realms: WantedRealm[] = [];
  for (const [at, entry] of document.realms.entries()) {
    const clients: WantedClient[] = [];
    for (const [index, client] of (entry.clients ?? []).entries()) {
      const hashes = await readHashes(client, places);
      if (hashes.ok) clients.push({ entry: client, secretHashes: hashes.value });
      else faults.push(...hashes.error.map((line) => `realms[${at}].clients[${index}].${line}`));
    }
    const users: WantedUser[] = [];
    for (const [index, user] of (entry.users ?? []).entries()) {
      const password = await readPassword(user, places, hashPassword);
      if (password.ok) users.push({ entry: user, passwordHash: password.value });
      else faults.push(`realms[${at}].users[${index}].password: ${password.error}`);
    }
    realms.push({ entry, clients, users });
  }
  return faults.length === 0 ? ok(realms) : err(faults);
}

/** Two entries for one thing would undo each other at every run. */
function twice({ realms }: ApplyDocument): Refused {
  const defaults = realms.filter((realm) => realm.default === true);
  return [
    ...repeated(realms.map(({ slug }) => slug)).map((at) => `realms[${at}].slug: this realm is there already, above`),
    ...(defaults.length > 1 ? ['realms: only one can be the default realm'] : []),
    ...realms.flatMap(({ clients = [], users = [] }, at) => [
      ...repeated(clients.map(({ client_id }) => client_id)).map(
        (index) => `realms[${at}].clients[${index}].client_id: this client is there already, above`,
      ),
      ...repeated(users.map(({ username }) => foldIdentifier(username))).map(
        (index) => `realms[${at}].users[${index}].username: this user is there already, above`,
      ),
    ]),
  ];
}

const repeated = (names: readonly string[]): readonly number[] =>
  names.flatMap((name, at) => (names.indexOf(name) < at ? [at] : []));

async function readHashes(
  { client_secret: secret, client_secret_sha256: hash }: ClientEntry,
  places: SecretPlaces,
): Promise<Result<readonly Uint8Array[] | null, Refused>> {
  if (secret !== undefined && hash !== undefined) {
    return err(['client_secret: and client_secret_sha256 exclude each other; remove one']);
  }
  if (hash !== undefined) return ok([hash].flat().map((hex) => Buffer.from(hex, 'hex')));
  if (secret === undefined) return ok(null);
  const hashes: Uint8Array[] = [];
  const faults: string[] = [];
  for (const source of [secret].flat()) {
    const read = typeof source === 'string' ? ok(new Secret(source)) : await readSecretSource(source, places);
    const problem = read.ok ? refuseChosenSecret(read.value.reveal()) : read.error;
    if (problem !== null) faults.push(`client_secret: ${problem}`);
    else if (read.ok) hashes.push(sha256(read.value.reveal()));
  }
  return faults.length === 0 ? ok(hashes) : err(faults);
}

async function readPassword(
  { password }: UserEntry,
  places: SecretPlaces,
  hashPassword: HashPassword,
): Promise<Result<(() => Promise<Secret>) | null, string>> {
  if (password === undefined) return ok(null);
  if ('hash' in password) {
    const hash = new Secret(password.hash);
    return ok(async () => hash);
  }
  const read = await readSecretSource(password, places);
  if (!read.ok) return read;
  const checked = checkPassword(read.value.reveal());
  if (!checked.ok) return checked;
  const made: { hash?: Promise<Secret> } = {};
  return ok(() => (made.hash ??= hashPassword(checked.value)));
}
