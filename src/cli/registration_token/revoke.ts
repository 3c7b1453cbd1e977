import { err, ok } from '../../core/result.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer } from '../output.ts';

export const registrationTokenRevoke = defineCommand({
  name: 'registration-token revoke',
  summary: 'Take an initial access token back, at once. Clients that registered with it stay.',
  options: {
    id: { type: 'argument', sentence: 'Its id, as the list shows it.' },
    realm: realmOption,
    json: jsonOption,
  },
  examples: ['limen registration-token revoke 01900000-0000-7000-8000-000000000001'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const { id } = values;
      if (!(await administration.registrationTokens.revoke(realm.value.id, id))) {
        return err([`${realm.value.slug} has no initial access token ${id}`]);
      }
      answer(deps.terminal, values.json, { id, revoked: true }, `Revoked ${id}.`);
      return ok(null);
    }),
});
