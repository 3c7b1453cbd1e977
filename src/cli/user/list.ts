import { wholeNumber } from '../../config/read.ts';
import { err, ok } from '../../core/result.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatTable } from '../output.ts';
import { userDocument } from './view.ts';

const largestPage = 1000;

export const userList = defineCommand({
  name: 'user list',
  summary: 'List the users of a realm by username, a page at a time.',
  options: {
    realm: realmOption,
    after: { type: 'text', value: '<username>', sentence: 'Begin after this one: the last of the page before.' },
    limit: { type: 'text', value: '<number>', sentence: `How many, up to ${largestPage} (100).` },
    json: jsonOption,
  },
  examples: ['limen user list --after mallory --limit 500'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const limit = wholeNumber(values.limit ?? '100');
      if (!(limit >= 1 && limit <= largestPage)) return err([`--limit is a number from 1 to ${largestPage}`]);
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const page = await administration.users.list(realm.value.id, {
        ...(values.after === undefined ? {} : { after: values.after }),
        limit,
      });
      const rows = page.map((user) => [user.username, user.claims.email, user.enabled, user.hasPassword, user.id]);
      answer(
        deps.terminal,
        values.json,
        page.map(userDocument),
        page.length === 0 ? 'No user here.' : formatTable(['username', 'email', 'enabled', 'password', 'id'], rows),
      );
      return ok(null);
    }),
});
