import { err, ok } from '../../core/result.ts';
import { signingAlgorithms } from '../../store/signer.ts';
import { administer, findRealm, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer } from '../output.ts';

export const keysRotate = defineCommand({
  name: 'keys rotate',
  summary: 'Sign with the next key from now on; the one before it goes on verifying.',
  options: {
    realm: realmOption,
    algorithm: { type: 'text', choices: signingAlgorithms, required: true, sentence: 'Whose key.' },
    force: {
      type: 'flag',
      sentence:
        'Even if the next key is so new that applications may not know it yet: their checks will fail until they do.',
    },
    json: jsonOption,
  },
  examples: ['limen keys rotate --algorithm ES256'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const { algorithm, force } = values;
      const rotated = await administration.keys.rotate(realm.value.id, algorithm, { force });
      if (!rotated.ok) {
        return err([
          rotated.error.kind === 'too_soon'
            ? `the next ${algorithm} key is not known to everyone yet; try again in ${rotated.error.retryAfterSeconds} s, or --force`
            : `${realm.value.slug} has no ${algorithm} keys`,
        ]);
      }
      const { activeKid, nextKid } = rotated.value;
      answer(
        deps.terminal,
        values.json,
        { algorithm, active_kid: activeKid, next_kid: nextKid },
        `${algorithm} tokens of ${realm.value.slug} are now signed with ${activeKid}; next: ${nextKid}.`,
      );
      return ok(null);
    }),
});
