import { brandId, isUuid, type UserId } from '../../core/ids.ts';
import { err, ok } from '../../core/result.ts';
import type { RealmRecord } from '../../store/realms.ts';
import type { UserRecord } from '../../store/users.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import type { Administration } from '../deps.ts';
import { answer } from '../output.ts';
import { explainUserRefusal, userDocument, userText } from './view.ts';

export const userShow = defineCommand({
  name: 'user show',
  summary: 'Show a user.',
  options: { user: { type: 'argument', sentence: 'A username, or an id.' }, realm: realmOption, json: jsonOption },
  examples: ['limen user show alice'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const user = await findUser(administration, realm.value, values.user);
      if (user === null) return err(explainUserRefusal('unknown_user'));
      answer(deps.terminal, values.json, userDocument(user), userText(user));
      return ok(null);
    }),
});

/** By username, or by id where the text has the shape of one. */
export const findUser = ({ users }: Administration, realm: RealmRecord, typed: string): Promise<UserRecord | null> =>
  users.show(realm.id, isUuid(typed) ? { userId: brandId<UserId>(typed) } : { username: typed });
