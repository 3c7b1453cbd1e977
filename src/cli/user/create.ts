import { err, ok } from '../../core/result.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer } from '../output.ts';
import { passwordOption, readNewPassword } from '../password.ts';
import { changeClaims, claimOptions } from './claims.ts';
import { explainUserRefusal, userDocument, userText } from './view.ts';

export const userCreate = defineCommand({
  name: 'user create',
  summary: 'Make a user. The password is asked for, or read from the standard input.',
  options: {
    username: { type: 'argument', sentence: 'What they type to sign in.' },
    realm: realmOption,
    ...claimOptions,
    'password-stdin': passwordOption,
    'no-password': { type: 'flag', sentence: 'Make the user without a password.' },
    json: jsonOption,
  },
  examples: [
    'limen user create alice --email alice@example.com --email-verified --claim given_name=Alice',
    'limen user create bob --password-stdin < password.txt',
  ],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const claims = changeClaims({}, values);
      if (!claims.ok) return claims;
      if (values['no-password'] && values['password-stdin']) {
        return err(['--no-password and --password-stdin contradict each other']);
      }
      const password = values['no-password']
        ? ok(null)
        : await readNewPassword(values['password-stdin'], deps.terminal);
      if (!password.ok) return err([password.error]);
      const created = await administration.users.create({
        realmId: realm.value.id,
        username: values.username,
        claims: claims.value,
        ...(password.value === null ? {} : { passwordHash: await administration.hashPassword(password.value) }),
      });
      if (!created.ok) return err(explainUserRefusal(created.error));
      answer(
        deps.terminal,
        values.json,
        userDocument(created.value),
        `Created ${created.value.username} in ${realm.value.slug}.\n${userText(created.value)}`,
      );
      return ok(null);
    }),
});
