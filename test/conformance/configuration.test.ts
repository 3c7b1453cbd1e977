import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Command, configurations, planArguments, planList } from '../../conformance/configuration.ts';
import { gallery } from '../login/gallery.ts';
import { withId } from '../login/markup.ts';
import { plans } from './plans.ts';

/** That what we give to the official suite fits it and us; `test/e2e/conformance.test.ts` carries the commands out. */

const folder = `${import.meta.dir}/../../conformance`;
const read = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8');

describe('the files', () => {
  test('are what conformance/configuration.ts makes', () => {
    const files = readdirSync(folder).filter((file) => /^oidcc-.*\.json$/.test(file));
    const written = files.map((file) => [file, JSON.parse(read(file))]);
    expect(Object.fromEntries(written)).toEqual(configurations);
    expect(read('plans.txt')).toBe(planList);
  });

  test('cover every certification plan that the harness has, each once', () => {
    const named = planArguments.map(([plan]) => plan.replace(/\[.*/, ''));
    expect(named.toSorted()).toEqual([...new Set(plans.map(({ name }) => name))].toSorted());
    for (const [, file] of planArguments) expect(existsSync(`${folder}/${file}`)).toBe(true);
  });

  test('have a page to show for every module that ends as REVIEW in a plan of theirs, and for no other', () => {
    const reviewed = reviewedModules();
    for (const [file, { override }] of Object.entries(configurations)) {
      const own = planArguments.filter(([, name]) => name === file).map(([plan]) => plan.replace(/\[.*/, ''));
      const wanted = new Set(own.flatMap((plan) => [...(reviewed.get(plan) ?? [])]));
      expect([file, ...Object.keys(override).toSorted()]).toEqual([file, ...[...wanted].toSorted()]);
    }
  });
});

/** By plan, as docs/conformance.md has it. */
function reviewedModules(): ReadonlyMap<string, ReadonlySet<string>> {
  const reviewed = new Map<string, Set<string>>();
  for (const section of read('../docs/conformance.md').split(/^## /m)) {
    const plan = /^`([a-z0-9-]+-test-plan)/m.exec(section)?.[1];
    if (plan === undefined) continue;
    const found = [...section.matchAll(/^\| `([^`]+)` +\| REVIEW /gm)].map(([, module = '']) => module);
    reviewed.set(plan, new Set([...(reviewed.get(plan) ?? []), ...found]));
  }
  return reviewed;
}

describe('the commands', () => {
  const visits = Object.values(configurations).flatMap(({ browser, override }) => [
    ...browser,
    ...Object.values(override).flatMap((changed) => changed.browser),
  ]);
  const commands: readonly Command[] = visits.flatMap(({ tasks }) => tasks.flatMap((task) => task.commands ?? []));
  const idsIn = ([, kind, target]: Command): readonly string[] =>
    kind === 'id' ? [String(target)] : [...String(target).matchAll(/@id='([^']+)'/g)].map(([, id = '']) => id);
  /** Of the suite's own page. */
  const foreign = 'submission_complete';
  const ids = new Set(commands.flatMap(idsIn).filter((id) => id !== foreign));

  test('are of the kinds that the suite knows', () => {
    expect([...new Set(commands.map(([verb]) => verb))].toSorted()).toEqual(['click', 'text', 'wait']);
    expect([...new Set(commands.map(([, kind]) => kind))].toSorted()).toEqual(['id', 'xpath']);
  });

  test.each([...ids])('find #%s on a page of ours', (id) => {
    const pages = [...gallery('en').values()];
    expect(pages.some((html) => withId(html, id) !== undefined)).toBe(true);
  });

  test('would not find what no page has', () => {
    const pages = [...gallery('en').values()];
    expect(pages.some((html) => withId(html, foreign) !== undefined)).toBe(false);
    expect(ids.size).toBeGreaterThan(5);
  });
});

describe('the seeds', () => {
  type Client = { readonly client_id: string; readonly client_secret: { readonly environment: string } } & {
    readonly [member: string]: unknown;
  };
  const document: { readonly realms: readonly { readonly clients: readonly Client[] }[] } = JSON.parse(
    read('limen.json'),
  );
  const clients = document.realms.flatMap((realm) => realm.clients);

  test('are the clients of the configuration, with the secrets that it is filled in with', () => {
    const configured = Object.values(configurations).flatMap((one) =>
      'client_secret_post' in one ? [one.client, one.client2, one.client_secret_post] : [],
    );
    const wanted = new Map(configured.map(({ client_id, client_secret }) => [client_id, client_secret]));
    const seeded = new Map(clients.map(({ client_id, client_secret }) => [client_id, `$${client_secret.environment}`]));
    expect(Object.fromEntries(seeded)).toEqual(Object.fromEntries(wanted));
  });

  test('have the addresses of the alias', () => {
    const base = 'https://localhost.emobix.co.uk:8443/test/a/limen';
    for (const client of clients) {
      expect(client['redirect_uris']).toEqual([`${base}/callback`]);
      expect(client['post_logout_redirect_uris']).toEqual([`${base}/post_logout_redirect`]);
    }
    expect(new Set(Object.values(configurations).map(({ alias }) => alias))).toEqual(new Set(['limen']));
  });
});

test('conformance/run fills in every word that the files leave open', () => {
  const open = new Set(Object.keys(configurations).flatMap((file) => read(file).match(/\$[A-Z][A-Z0-9_]*/g) ?? []));
  const [, filled = ''] = /envsubst '([^']*)'/.exec(read('run')) ?? [];
  expect(filled.split(' ').toSorted()).toEqual([...open].toSorted());
});
