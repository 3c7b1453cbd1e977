import { ok } from '../../core/result.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer, formatTable } from '../output.ts';
import { shownInstant } from '../realm/view.ts';
import { registrationTokenDocument, usesInWords } from './view.ts';

export const registrationTokenList = defineCommand({
  name: 'registration-token list',
  summary: 'List the initial access tokens of a realm, never the tokens themselves.',
  options: { realm: realmOption, json: jsonOption },
  examples: ['limen registration-token list --realm acme'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const all = await administration.registrationTokens.list(realm.value.id);
      const rows = all.map((token) => [
        token.id,
        token.note,
        usesInWords(token),
        token.expiresAt === null ? 'never' : shownInstant(token.expiresAt),
      ]);
      answer(
        deps.terminal,
        values.json,
        all.map(registrationTokenDocument),
        all.length === 0
          ? `${realm.value.slug} has no initial access token.`
          : formatTable(['id', 'note', 'good for', 'expires'], rows),
      );
      return ok(null);
    }),
});
