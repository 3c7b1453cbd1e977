/**
 * Configuration of the official OpenID conformance suite for every certification plan: `bun conformance/configuration.ts`
 * writes the JSON files and the list of plans beside it, and `bunx biome format --write conformance` lays them out. `$OP_URL`,
 * the sample user and the secrets are filled in by `conformance/run` (docs/guides/openid-conformance.md). The commands use
 * the ids of our pages and need no script.
 */
import { writeFileSync } from 'node:fs';

export type Command = readonly (string | number)[];
export type Task = {
  readonly task: string;
  readonly match: string;
  readonly optional?: true;
  readonly commands?: readonly Command[];
};
export type Visit = { readonly match: string; readonly tasks: readonly Task[] };
type Override = { readonly [module: string]: { readonly browser: readonly Visit[] } };

const authorize = '$OP_URL/authorize*';
const run = '$OP_URL/run/*';
const logout = '$OP_URL/logout*';

const placeholder = (id: string, update = 'update-image-placeholder'): Command => ['wait', 'id', id, 10, '.*', update];

/** A button of the form that has the element: every form's own is called `submit`. */
const press = (button: string, besides: string): Command => [
  'click',
  'xpath',
  `//form[.//*[@id='${besides}']]//*[@id='${button}']`,
  'optional',
];

const username: Task = {
  task: 'Name',
  match: run,
  optional: true,
  commands: [['text', 'id', 'username', '$OP_USERNAME', 'optional'], press('submit', 'username')],
};

const password: Task = {
  task: 'Password',
  match: run,
  optional: true,
  commands: [['text', 'id', 'password', '$OP_PASSWORD', 'optional'], press('submit', 'password')],
};

const consent: Task = { task: 'Consent', match: run, optional: true, commands: [press('allow', 'allow')] };

/** Only where the page of form_post did not send itself. */
const formPost = (match: string): Task => ({
  task: 'Form post by hand',
  match,
  optional: true,
  commands: [['click', 'xpath', "//form[@id='form_post']//*[@id='submit']", 'optional']],
});

const received: Task = {
  task: 'Verify complete',
  match: '*/test/*/callback*',
  commands: [['wait', 'id', 'submission_complete', 10]],
};

const signIn: Visit = {
  match: authorize,
  tasks: [username, password, consent, formPost(run), formPost(authorize), received],
};

/** The suite asks for the login page of the second request only, so the first finds no placeholder. */
const signInPictured: Visit = {
  match: authorize,
  tasks: [
    username,
    {
      ...password,
      commands: [placeholder('password', 'update-image-placeholder-optional'), ...(password.commands ?? [])],
    },
    consent,
    formPost(run),
    received,
  ],
};

const errorPage: Visit = {
  match: authorize,
  tasks: [{ task: 'Error page', match: authorize, commands: [placeholder('error')] }],
};

/** What the client registered is on the page that asks for consent. */
const consentPictured: Visit = {
  match: authorize,
  tasks: [
    username,
    password,
    { ...consent, commands: [placeholder('allow', 'update-image-placeholder-optional'), ...(consent.commands ?? [])] },
    received,
  ],
};

const question: Task = { task: 'Sign out?', match: logout, optional: true, commands: [press('submit', 'stay')] };

const signOut: Visit = {
  match: logout,
  tasks: [question, { task: 'Verify complete', match: '*/test/*/post_logout_redirect*' }],
};

/** The page that the suite wants to see, by the id that tells it apart. */
const signOutPictured = (id: string, tasks: readonly Task[] = []): { readonly browser: readonly Visit[] } => ({
  browser: [signIn, { match: logout, tasks: [...tasks, { task: id, match: logout, commands: [placeholder(id)] }] }],
});

const client = (clientId: string, secret: string) => ({ client_id: clientId, client_secret: secret });

const staticClients = {
  client: client('conformance', '$CLIENT_SECRET'),
  client_secret_post: client('conformance-post', '$CLIENT_SECRET_POST'),
  client2: client('conformance-2', '$CLIENT2_SECRET'),
};

/** They register themselves; only their names are given. */
const dynamicClients = {
  client: { client_name: 'Conformance' },
  client2: { client_name: 'Conformance, another' },
};

export type Configuration = {
  /** The last part but one of the suite's own addresses. */
  readonly alias: string;
  readonly description: string;
  readonly server: { readonly discoveryUrl: string };
  readonly browser: readonly Visit[];
  readonly override: Override;
} & (typeof staticClients | typeof dynamicClients);

const configuration = (
  description: string,
  clients: typeof staticClients | typeof dynamicClients,
  browser: readonly Visit[],
  override: Override,
): Configuration => ({
  alias: 'limen',
  description,
  server: { discoveryUrl: '$OP_URL/.well-known/openid-configuration' },
  ...clients,
  browser,
  override,
});

/** By file name. */
export const configurations: { readonly [file: string]: Configuration } = {
  'oidcc-static.json': configuration('Limen, static clients', staticClients, [signIn], {
    'oidcc-prompt-login': { browser: [signInPictured] },
    'oidcc-max-age-1': { browser: [signInPictured] },
    'oidcc-ensure-registered-redirect-uri': { browser: [errorPage] },
  }),
  'oidcc-dynamic.json': configuration('Limen, dynamic registration', dynamicClients, [signIn], {
    'oidcc-ensure-redirect-uri-in-authorization-request': { browser: [errorPage] },
    'oidcc-redirect-uri-query-mismatch': { browser: [errorPage] },
    'oidcc-redirect-uri-query-added': { browser: [errorPage] },
    'oidcc-registration-logo-uri': { browser: [consentPictured] },
    'oidcc-registration-policy-uri': { browser: [consentPictured] },
    'oidcc-registration-tos-uri': { browser: [consentPictured] },
  }),
  'oidcc-rp-initiated-logout-static.json': configuration(
    'Limen, RP-initiated logout, static clients',
    staticClients,
    [signIn, signOut],
    {
      'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri': signOutPictured('error'),
      'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri': signOutPictured('error'),
      'oidcc-rp-initiated-logout-modified-id-token-hint': signOutPictured('stay'),
      'oidcc-rp-initiated-logout-bad-id-token-hint': signOutPictured('stay'),
      'oidcc-rp-initiated-logout-no-id-token-hint': signOutPictured('stay'),
      'oidcc-rp-initiated-logout-no-params': signOutPictured('signed-out', [question]),
      'oidcc-rp-initiated-logout-only-state': signOutPictured('signed-out', [question]),
      'oidcc-rp-initiated-logout-no-post-logout-redirect-uri': signOutPictured('signed-out'),
    },
  ),
  'oidcc-logout-dynamic.json': configuration('Limen, logout channels', dynamicClients, [signIn, signOut], {}),
};

const staticMetadata = '[server_metadata=discovery][client_registration=static_client]';
const dynamicCode = '[response_type=code][client_registration=dynamic_client]';

/** Every certification plan as `run-test-plan.py` takes it, with its configuration. */
export const planArguments: readonly (readonly [plan: string, file: string])[] = [
  ...['basic', 'implicit', 'hybrid', 'formpost-basic', 'formpost-implicit', 'formpost-hybrid'].map(
    (name) => [`oidcc-${name}-certification-test-plan${staticMetadata}`, 'oidcc-static.json'] as const,
  ),
  ['oidcc-config-certification-test-plan', 'oidcc-static.json'],
  ['oidcc-dynamic-certification-test-plan[response_type=code]', 'oidcc-dynamic.json'],
  ['oidcc-3rdparty-init-login-certification-test-plan[response_type=code]', 'oidcc-dynamic.json'],
  [
    'oidcc-rp-initiated-logout-certification-test-plan[response_type=code][client_registration=static_client]',
    'oidcc-rp-initiated-logout-static.json',
  ],
  ...['session-management', 'frontchannel-rp-initiated-logout', 'backchannel-rp-initiated-logout'].map(
    (name) => [`oidcc-${name}-certification-test-plan${dynamicCode}`, 'oidcc-logout-dynamic.json'] as const,
  ),
];

export const planList = `${planArguments.map((words) => words.join(' ')).join('\n')}\n`;

if (import.meta.main) {
  writeFileSync(new URL('plans.txt', import.meta.url), planList);
  for (const [name, value] of Object.entries(configurations)) {
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(value, null, 2)}\n`);
  }
}
