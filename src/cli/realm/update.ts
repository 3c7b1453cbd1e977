import { err, ok } from '../../core/result.ts';
import { administer } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { disableOption, enabledOf, enableOption } from '../enabled.ts';
import { answer } from '../output.ts';
import { overrideChanges, reasonOption, settingOption } from '../overrides.ts';
import { explainRealmRefusal, realmDocument } from './view.ts';

export const realmUpdate = defineCommand({
  name: 'realm update',
  summary: 'Change a realm. In force in every process within ten seconds.',
  options: {
    slug: { type: 'argument', sentence: 'The realm.' },
    name: { type: 'text', value: '<text>', sentence: 'What people see.' },
    setting: settingOption,
    reason: reasonOption,
    enable: enableOption,
    disable: disableOption,
    'end-everything': { type: 'flag', sentence: 'Everything issued in this realm so far ends now.' },
    json: jsonOption,
  },
  examples: ['limen realm update acme --setting pkce="required for all"', 'limen realm update acme --disable'],
  run: (values, deps) =>
    administer(deps, async ({ realms }, config) => {
      const enabled = enabledOf(values);
      if (!enabled.ok) return enabled;
      const overrides = overrideChanges(values.setting, values.reason);
      if (!overrides.ok) return err([overrides.error]);
      const updated = await realms.update(
        values.slug,
        { ...enabled.value, ...(values.name === undefined ? {} : { name: values.name }), overrides: overrides.value },
        deps.now(),
      );
      if (!updated.ok) return err(explainRealmRefusal(updated.error));
      if (values['end-everything']) await realms.endEverything(values.slug);
      answer(deps.terminal, values.json, realmDocument(updated.value, config.publicUrl), `Updated ${values.slug}.`);
      return ok(null);
    }),
});
