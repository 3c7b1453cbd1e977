import { err, ok } from '../core/result.ts';
import { type Explanation, explain, type RefusalRecord } from '../oidc/explanation/index.ts';
import { administer } from './administration.ts';
import { defineCommand, jsonOption } from './command.ts';
import type { Administration } from './deps.ts';
import { answer, formatRecord, formatTable } from './output.ts';
import { shownInstant } from './realm/view.ts';

export const explainCommand = defineCommand({
  name: 'explain',
  summary: 'Say what an error id stands for: what was refused, by which rule and setting, and how to mend it.',
  options: {
    error_id: { type: 'argument', sentence: 'Twelve characters, from an error page, an error_description or the log.' },
    json: jsonOption,
  },
  examples: ['limen explain 6f1d2c3b4a59'],
  run: (values, deps) =>
    administer(deps, async (administration, { settings: system, refusalDays }) => {
      const records = await administration.refusals.find(values.error_id.toLowerCase());
      if (records.length === 0) return err(unknownId(values.error_id, refusalDays));
      const explanations: Explanation[] = [];
      for (const record of records) {
        const { realm, client } = await partiesOf(administration, record);
        const layers = {
          system,
          ...(realm && { realm: realm.overrides }),
          ...(client && { client: client.overrides }),
        };
        explanations.push(explain(record, { realm, client, layers, now: deps.now() }));
      }
      const document = explanations.map(({ at, ...rest }) => ({ ...rest, at: shownInstant(at) }));
      answer(deps.terminal, values.json, document, explanations.map(explanationText).join('\n\n'));
      return ok(null);
    }),
});

/** As they are now. */
async function partiesOf({ realms, clients }: Administration, { realmId, clientId }: RefusalRecord) {
  const realm = realmId === null ? null : ((await realms.list()).find(({ id }) => id === realmId) ?? null);
  const client = realm === null || clientId === null ? null : await clients.show(realm.id, clientId);
  return { realm, client };
}

function explanationText(told: Explanation): string {
  const registered = Object.entries(told.registered);
  return [
    formatRecord([
      ['when', shownInstant(told.at)],
      ['realm', told.realm],
      ['client', told.client_name === told.client_id ? told.client_id : `${told.client_id} (${told.client_name})`],
      ['endpoint', told.endpoint],
      [told.kind === 'fault' ? 'failed' : 'error', told.error],
      ['parameter', told.parameter],
      ['said', told.description],
      ['rule', told.rule],
      ['', told.rule_link],
    ]),
    ...(registered.length === 0 ? [] : ['', 'Registered now:', formatRecord(registered)]),
    ...(told.settings.length === 0
      ? []
      : [
          '',
          formatTable(
            ['setting', 'value', 'from', 'reason'],
            told.settings.map(({ key, value, from, reason }) => [key, value, from, reason]),
          ),
        ]),
    '',
    `To mend it: ${told.mend}`,
  ].join('\n');
}

const errorIdPattern = /^[0-9a-f]{12}$/i;

function unknownId(typed: string, days: number): readonly string[] {
  if (!errorIdPattern.test(typed)) return [`an error id is 12 characters out of 0-9 a-f; got "${typed.slice(0, 60)}"`];
  if (days === 0) return ['error ids are not kept here: LIMEN_REFUSAL_DAYS is 0; look for it in the log'];
  return [
    `nothing is kept under the error id ${typed}. It may be:`,
    `- older than ${days} ${days === 1 ? 'day' : 'days'} (LIMEN_REFUSAL_DAYS)`,
    '- of another deployment, or of another database than DATABASE_URL names',
    '- dropped, because too much was refused at the same time: the log has every one (`request.refused`), and says `refusals.dropped`',
    '- not written yet: it takes up to a second',
  ];
}
