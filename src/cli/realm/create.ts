import { err, ok } from '../../core/result.ts';
import { administer } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer } from '../output.ts';
import { changeOverrides, reasonOption, settingOption } from '../overrides.ts';
import { explainRealmRefusal, issuerOf, realmDocument } from './view.ts';

export const realmCreate = defineCommand({
  name: 'realm create',
  summary: 'Make a realm: a tenant with its own issuer, keys, users and clients.',
  options: {
    slug: { type: 'argument', sentence: 'Its name in the issuer: /realms/<slug>.' },
    name: { type: 'text', value: '<text>', sentence: 'What people see; the slug if not given.' },
    default: { type: 'flag', sentence: 'Its issuer is the public URL itself. The first realm is made so in any case.' },
    setting: settingOption,
    reason: reasonOption,
    json: jsonOption,
  },
  examples: ['limen realm create main --name "Example Inc."', 'limen realm create acme --setting lockoutThreshold=3'],
  run: (values, deps) =>
    administer(deps, async ({ realms, deployDefaultFlow }, config) => {
      const overrides = changeOverrides({}, values.setting, values.reason);
      if (!overrides.ok) return err([overrides.error]);
      const isFirst = (await realms.list()).length === 0;
      const created = await realms.create(
        {
          slug: values.slug,
          name: values.name ?? values.slug,
          isDefault: values.default || isFirst,
          overrides: overrides.value,
        },
        deps.now(),
      );
      if (!created.ok) return err(explainRealmRefusal(created.error));
      const realm = created.value;
      await deployDefaultFlow(realm.id);
      const kind = realm.isDefault ? 'the default realm' : 'a realm';
      const issuer =
        issuerOf(realm, config.publicUrl) ?? (realm.isDefault ? 'LIMEN_PUBLIC_URL' : `/realms/${realm.slug}`);
      answer(
        deps.terminal,
        values.json,
        realmDocument(realm, config.publicUrl),
        `Created ${realm.slug}, ${kind}. Issuer: ${issuer}`,
      );
      return ok(null);
    }),
});
