import { err, ok } from '../../core/result.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { disableOption, enabledOf, enableOption } from '../enabled.ts';
import { answer } from '../output.ts';
import { passwordOption, readNewPassword } from '../password.ts';
import { changeClaims, claimOptions } from './claims.ts';
import { findUser } from './show.ts';
import { explainUserRefusal, userDocument, userText } from './view.ts';

export const userUpdate = defineCommand({
  name: 'user update',
  summary: 'Change a user; in force at once.',
  options: {
    user: { type: 'argument', sentence: 'A username, or an id.' },
    realm: realmOption,
    username: { type: 'text', value: '<name>', sentence: 'Another username.' },
    ...claimOptions,
    password: { type: 'flag', sentence: 'Ask for a new password. It signs the user out everywhere.' },
    'password-stdin': { ...passwordOption, sentence: 'Read a new password from the standard input instead.' },
    enable: enableOption,
    disable: disableOption,
    'sign-out-everywhere': { type: 'flag', sentence: 'Every session and token of the user ends now.' },
    json: jsonOption,
  },
  examples: ['limen user update alice --claim family_name=Liddell', 'limen user update alice --sign-out-everywhere'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const { users } = administration;
      const enabled = enabledOf(values);
      if (!enabled.ok) return enabled;
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const before = await findUser(administration, realm.value, values.user);
      if (before === null) return err(explainUserRefusal('unknown_user'));
      const claims = changeClaims(before.claims, values);
      if (!claims.ok) return claims;
      const setsPassword = values.password || values['password-stdin'];
      const password = setsPassword ? await readNewPassword(values['password-stdin'], deps.terminal) : ok(null);
      if (!password.ok) return err([password.error]);
      const updated = await users.update(realm.value.id, before.id, {
        claims: claims.value,
        ...enabled.value,
        ...(values.username === undefined ? {} : { username: values.username }),
      });
      if (!updated.ok) return err(explainUserRefusal(updated.error));
      if (password.value !== null) {
        const hash = await administration.hashPassword(password.value);
        await users.setPassword(realm.value.id, before.id, hash, { signOutEverywhere: true });
      }
      if (values['sign-out-everywhere']) await users.signOutEverywhere(realm.value.id, before.id);
      const user = { ...updated.value, hasPassword: updated.value.hasPassword || password.value !== null };
      answer(deps.terminal, values.json, userDocument(user), `Updated ${user.username}.\n${userText(user)}`);
      return ok(null);
    }),
});
