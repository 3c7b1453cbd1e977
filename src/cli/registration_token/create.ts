import { wholeNumber } from '../../config/read.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { administer, findRealm, type Refused, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer } from '../output.ts';
import { registrationTokenDocument, usesInWords } from './view.ts';

const longestLifetimeSeconds = 365 * 24 * 60 * 60;

export const registrationTokenCreate = defineCommand({
  name: 'registration-token create',
  summary: 'Make an initial access token, with which clients register themselves. Shown this once.',
  options: {
    realm: realmOption,
    uses: { type: 'text', value: '<number>', sentence: 'How many clients it is good for (1), or `any`.' },
    lifetime: { type: 'text', value: '<seconds>', sentence: 'How long it is valid (604800).' },
    note: { type: 'text', value: '<text>', sentence: 'For whom it is: shown in the list.' },
    json: jsonOption,
  },
  examples: ['limen registration-token create --note "build farm" --uses 20'],
  run: (values, deps) =>
    administer(deps, async (administration) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const uses = values.uses === 'any' ? ok(null) : within('uses', values.uses ?? '1', 1_000_000);
      if (!uses.ok) return uses;
      const lifetimeSeconds = within('lifetime', values.lifetime ?? '604800', longestLifetimeSeconds);
      if (!lifetimeSeconds.ok) return lifetimeSeconds;
      const { record, token } = await administration.registrationTokens.create({
        realmId: realm.value.id,
        note: values.note ?? '',
        uses: uses.value,
        lifetimeSeconds: lifetimeSeconds.value,
      });
      answer(
        deps.terminal,
        values.json,
        { ...registrationTokenDocument(record), token: token.reveal() },
        [
          `Made ${record.id} in ${realm.value.slug}, good for ${usesInWords(record)}.`,
          `initial access token, shown this once: ${token.reveal()}`,
        ].join('\n'),
      );
      return ok(null);
    }),
});

function within(option: string, typed: string, most: number): Result<number, Refused> {
  const number = wholeNumber(typed);
  return number >= 1 && number <= most ? ok(number) : err([`--${option} is a whole number from 1 to ${most}`]);
}
