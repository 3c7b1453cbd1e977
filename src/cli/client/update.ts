import { wholeNumber } from '../../config/read.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ClientMetadata } from '../../oidc/client.ts';
import { clientSecretJwt } from '../../oidc/client_auth/client_secret_jwt.ts';
import type { ClientRecord } from '../../store/clients.ts';
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
    unset: { type: 'list', value: '<member>', sentence: 'Metadata to take away, by its wire name.' },
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
          const unknown = values.unset.filter((member) => !Object.hasOwn(current.metadata, member));
          if (unknown.length > 0) return err({ kind: 'faults', faults: unknown.map(notRegistered) });
          const metadata = { ...without(current.metadata, values.unset), ...registration.value.metadata };
          const change = { ...registration.value, metadata, overrides: overrides.value, ...enabled.value };
          const faults = checkRegistration({ ...current, ...change }, layers, now);
          const secret = faultOfSecret(current, change.authMethod ?? current.authMethod, values['new-secret']);
          const all = secret === null ? faults : [...faults, secret];
          return all.length === 0 ? ok(change) : err({ kind: 'faults', faults: all });
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

const notRegistered = (member: string): string => `--unset ${member}: the client has no such metadata`;

const without = (metadata: ClientMetadata, members: readonly string[]): ClientMetadata =>
  Object.fromEntries(Object.entries(metadata).filter(([member]) => !members.includes(member)));

function faultOfSecret({ authMethod }: Pick<ClientRecord, 'authMethod'>, next: string, isNew: boolean): string | null {
  if (isNew) return next.startsWith('client_secret_') ? null : 'this client does not authenticate with a secret';
  // Of the secrets so far there is the hash alone, and none can be computed with.
  return next === clientSecretJwt.name && next !== authMethod
    ? `${next} needs a secret that is kept for it: add --new-secret`
    : null;
}
