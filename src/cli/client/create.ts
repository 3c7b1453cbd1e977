import { brandId, type ClientId, type RealmId } from '../../core/ids.ts';
import type { Overrides } from '../../core/overrides.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ClientClass } from '../../oidc/client.ts';
import { type Classification, classifyClient } from '../../oidc/client_class.ts';
import type { NewClient } from '../../store/clients.ts';
import { administer, findRealm, type Refused, realmOption } from '../administration.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer } from '../output.ts';
import { changeOverrides } from '../overrides.ts';
import { registrationOptions } from './options.ts';
import { checkRegistration, grantsOf, type Registration, readRegistration } from './registration.ts';
import { clientDocument, clientText, explainClientRefusal } from './view.ts';

export const clientCreate = defineCommand({
  name: 'client create',
  summary: 'Register an application. A secret, where its class has one, is shown this once.',
  options: {
    client_id: { type: 'argument', sentence: 'Its client_id.' },
    realm: realmOption,
    class: {
      type: 'text',
      choices: ['public', 'confidential'],
      sentence: 'Whether it can keep a secret (RFC 6749 §2.1); if not given, --auth-method decides.',
    },
    ...registrationOptions,
    json: jsonOption,
  },
  examples: [
    'limen client create shop --class confidential --redirect-uri https://shop.example.com/callback',
    'limen client create app --class public --redirect-uri com.example.app:/callback',
    'limen client create reports --class confidential --grant client_credentials --scope "reports.read"',
  ],
  run: (values, deps) =>
    administer(deps, async (administration, config) => {
      const realm = await findRealm(administration, values.realm);
      if (!realm.ok) return realm;
      const classification = classOf(values.class, values['auth-method']);
      if (!classification.ok) return classification;
      const registration = await readRegistration(values, deps.readFile);
      if (!registration.ok) return registration;
      const overrides = changeOverrides({}, values.setting, values.reason);
      if (!overrides.ok) return err([overrides.error]);
      const client = complete(
        { realmId: realm.value.id, clientId: values.client_id, class: classification.value.class },
        registration.value,
        overrides.value,
      );
      const now = deps.now();
      const faults = checkRegistration(client, { system: config.settings, realm: realm.value.overrides }, now);
      if (faults.length > 0) return err(faults);
      const withSecret = client.authMethod.startsWith('client_secret_');
      const created = await administration.clients.create(client, { withSecret }, now);
      if (!created.ok) return err(explainClientRefusal(created.error));
      const { client: record, secret } = created.value;
      answer(
        deps.terminal,
        values.json,
        {
          ...clientDocument(record),
          class_rule: classification.value.rule,
          ...(secret === null ? {} : { client_secret: secret.reveal() }),
        },
        [
          `Created ${record.clientId} in ${realm.value.slug}: ${record.class} (${classification.value.rule}).`,
          clientText(record),
          ...(secret === null ? [] : ['', `client_secret, shown this once: ${secret.reveal()}`]),
        ].join('\n'),
      );
      return ok(null);
    }),
});

/** Never guessed out of nothing: one of the two must be said. */
function classOf(stated: ClientClass | undefined, authMethod: string | undefined): Result<Classification, Refused> {
  if (stated === undefined && authMethod === undefined) {
    return err(['say --class public (it runs on a device or in a browser) or --class confidential (on a server)']);
  }
  return ok(classifyClient(stated ?? null, authMethod ?? 'none'));
}

function complete(
  identity: { readonly realmId: RealmId; readonly clientId: string; readonly class: ClientClass },
  registration: Registration,
  overrides: Overrides,
): NewClient {
  const isInteractive = identity.class === 'public' || registration.redirectUris !== undefined;
  return {
    name: identity.clientId,
    authMethod: identity.class === 'public' ? 'none' : 'client_secret_basic',
    jwks: null,
    redirectUris: [],
    postLogoutRedirectUris: [],
    grantTypes: [],
    responseTypes: [],
    ...grantsOf(isInteractive ? ['authorization_code', 'refresh_token'] : ['client_credentials']),
    scope: isInteractive ? ['openid', 'profile', 'email'] : [],
    resources: [],
    introspects: [],
    idTokenSignedResponseAlg: null,
    defaultMaxAgeSeconds: null,
    requireAuthTime: false,
    consent: 'remembered',
    metadata: {},
    ...registration,
    ...identity,
    clientId: brandId<ClientId>(identity.clientId),
    overrides,
  };
}
