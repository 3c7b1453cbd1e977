import { wholeNumber } from '../../config/read.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { administer, findRealm, type Refused, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { disableOption, enabledOf, enableOption } from '../enabled.ts';
import { answer } from '../output.ts';
import { changeOverrides } from '../overrides.ts';
import { registrationOptions } from './options.ts';
import { checkRegistration, readRegistration } from './registration.ts';
import { clientDocument, clientText, explainClientRefusal } from './view.ts';

const longestOverlapSeconds = 30 * 24 * 60 * 60;

export const clientUpdate = defineCommand({
  name: 'client update',
  summary: 'Change a client. In force in every process within ten seconds.',
  options: {
    client_id: { type: 'argument', sentence: 'The client.' },
    realm: realmOption,
    ...registrationOptions,
    enable: enableOption,
    disable: disableOption,
    'new-secret': { type: 'flag', sentence: 'Make a new secret and show it this once.' },
    overlap: { type: 'text', value: '<seconds>', sentence: 'How long the former secret stays valid (86400).' },
    'end-everything': { type: 'flag', sentence: 'Everything issued to this client so far ends now.' },
    json: jsonOption,
  },
  examples: [
    'limen client update shop --redirect-uri https://shop.example.com/callback',
    'limen client update shop --new-secret --overlap 3600',
  ],
  run: (values, deps) =>
    administer(deps, async (administration, config) => {
      const { clients } = administration;
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const enabled = enabledOf(values);
      if (!enabled.ok) return enabled;
      const registration = await readRegistration(values, deps.readFile);
      if (!registration.ok) return registration;
      const overlapSeconds = wholeNumber(values.overlap ?? '86400');
      if (!(overlapSeconds >= 0 && overlapSeconds <= longestOverlapSeconds)) {
        return err([`--overlap is a number of seconds up to ${longestOverlapSeconds}`]);
      }
      const now = deps.now();
      const layers = { system: config.settings, realm: realm.value.overrides };
      const updated = await clients.update(
        realm.value.id,
        values.client_id,
        (current): Result<object, { readonly kind: 'faults'; readonly faults: Refused }> => {
          const overrides = changeOverrides(current.overrides, values.setting, values.reason);
          if (!overrides.ok) return err({ kind: 'faults', faults: [overrides.error] });
          const metadata = { ...current.metadata, ...registration.value.metadata };
          const change = { ...registration.value, metadata, overrides: overrides.value, ...enabled.value };
          const faults = checkRegistration({ ...current, ...change }, layers, now);
          if (values['new-secret'] && !(change.authMethod ?? current.authMethod).startsWith('client_secret_')) {
            return err({ kind: 'faults', faults: [...faults, 'this client does not authenticate with a secret'] });
          }
          return faults.length === 0 ? ok(change) : err({ kind: 'faults', faults });
        },
        now,
      );
      if (!updated.ok) {
        return err(updated.error.kind === 'faults' ? updated.error.faults : explainClientRefusal(updated.error));
      }
      const secret = values['new-secret']
        ? await clients.rotateSecret(realm.value.id, values.client_id, { overlapSeconds }, now)
        : null;
      if (values['end-everything']) await clients.endEverything(realm.value.id, values.client_id);
      answer(
        deps.terminal,
        values.json,
        { ...clientDocument(updated.value), ...(secret === null ? {} : { client_secret: secret.reveal() }) },
        [
          `Updated ${values.client_id}.`,
          clientText(updated.value),
          ...(secret === null ? [] : ['', `client_secret, shown this once: ${secret.reveal()}`]),
        ].join('\n'),
      );
      return ok(null);
    }),
});
