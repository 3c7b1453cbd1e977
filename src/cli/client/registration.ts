import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { wholeNumber } from '../../config/read.ts';
import { type Layers, resolveSettings } from '../../core/overrides.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import type { Client } from '../../oidc/client.ts';
import { checkClient } from '../../oidc/client_class.ts';
import type { NewClient } from '../../store/clients.ts';
import type { Refused } from '../administration.ts';
import type { Values } from '../command.ts';
import type { CliDeps } from '../deps.ts';
import type { registrationOptions } from './options.ts';
import { responseMetadata } from './response_options.ts';

export type RegistrationValues = Values<typeof registrationOptions>;

/** What the options say of a client; members that are not given are absent. */
export type Registration = Partial<
  Pick<
    NewClient,
    | 'name'
    | 'authMethod'
    | 'redirectUris'
    | 'postLogoutRedirectUris'
    | 'grantTypes'
    | 'responseTypes'
    | 'scope'
    | 'resources'
    | 'introspects'
    | 'jwks'
    | 'idTokenSignedResponseAlg'
    | 'defaultMaxAgeSeconds'
    | 'consent'
    | 'metadata'
  >
>;

const jwkSetSchema = Type.Object({ keys: Type.Array(Type.Object({ kty: Type.String() }), { minItems: 1 }) });

/** Reads the options, and the file that they name. */
export async function readRegistration(
  values: RegistrationValues,
  readFile: CliDeps['readFile'],
): Promise<Result<Registration, Refused>> {
  const jwks = values['jwks-file'] === undefined ? ok(undefined) : await readJwks(values['jwks-file'], readFile);
  if (!jwks.ok) return jwks;
  const maxAge = values['default-max-age'] === undefined ? undefined : wholeNumber(values['default-max-age']);
  if (maxAge !== undefined && !(maxAge >= 0)) return err(['--default-max-age is a number of seconds']);
  const metadata = given({
    client_uri: values['client-uri'],
    logo_uri: values['logo-uri'],
    policy_uri: values['policy-uri'],
    tos_uri: values['tos-uri'],
    subject_type: values['subject-type'],
    sector_identifier_uri: values['sector-identifier-uri'],
    jwks_uri: values['jwks-uri'],
    ...responseMetadata(values),
  });
  return ok(
    given({
      name: values.name,
      authMethod: values['auth-method'],
      redirectUris: list(values['redirect-uri']),
      postLogoutRedirectUris: list(values['post-logout-redirect-uri']),
      ...grantsOf(values.grant),
      scope: values.scope?.split(' ').filter((token) => token !== ''),
      resources: list(values.resource),
      introspects: list(values.introspects),
      // RFC 7591 §2: keys are here or there, so that naming one place leaves the other.
      jwks: jwks.value ?? (values['jwks-uri'] === undefined ? undefined : null),
      idTokenSignedResponseAlg: values['id-token-alg'],
      defaultMaxAgeSeconds: maxAge,
      consent: values.consent,
      metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    }),
  );
}

/** RFC 7591 §2.1: the code grant and the response type `code` go together. */
export const grantsOf = (grantTypes: readonly string[]): Pick<Registration, 'grantTypes' | 'responseTypes'> =>
  grantTypes.length === 0
    ? {}
    : { grantTypes, responseTypes: grantTypes.includes('authorization_code') ? ['code'] : [] };

const list = (items: readonly string[]): readonly string[] | undefined => (items.length === 0 ? undefined : items);

type Given<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };

/** Without the members that are undefined. */
const given = <Members extends object>(members: Members): Given<Members> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<Members>;

async function readJwks(
  path: string,
  readFile: CliDeps['readFile'],
): Promise<Result<NonNullable<Client['jwks']>, Refused>> {
  const text = await readFile(path);
  if (!text.ok) return err([`--jwks-file ${path} cannot be read (${text.error})`]);
  const document = parseJson(text.value);
  return isJwkSet(document) ? ok(document) : err([`--jwks-file ${path} is no JSON Web Key Set (RFC 7517 §5)`]);
}

const isJwkSet = (document: unknown): document is Static<typeof jwkSetSchema> => Value.Check(jwkSetSchema, document);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Every rule of the client's class that the registration would break, with the policies that would be in force. */
export function checkRegistration(client: NewClient, layers: Omit<Layers, 'client'>, now: Instant): Refused {
  const { rotation, implicitAndHybrid } = resolveSettings({ ...layers, client: client.overrides }, now);
  const checked = checkClient({ ...client, rotation, implicitAndHybrid });
  return checked.ok ? [] : checked.error.map((fault) => `${fault.member}: ${fault.sentence}`);
}
