import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { type Configuration, configurations } from '../../conformance/configuration.ts';
import { plans } from '../conformance/plans.ts';
import { openChromium } from '../conformance/steps/chromium.ts';
import type { Variant } from '../conformance/steps/environment.ts';
import { loadModule } from '../conformance/steps/module.ts';
import { openStage, type Stage } from '../conformance/steps/stage.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { describeInBrowser } from './browser.ts';

const folder = `${import.meta.dir}/../../conformance`;
const modules = new Set(plans.flatMap(({ entries }) => entries.map(({ module }) => module)));

describe('the configuration of the official suite', () => {
  test('is what conformance/configuration.ts makes', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    const written = files.map((file) => [file, JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))]);
    expect(Object.fromEntries(written)).toEqual(configurations);
  });

  test('has a page to show for every module that ends as REVIEW, and for no other', () => {
    const shown = Object.values(configurations).flatMap(({ override }) => Object.keys(override));
    const document = readFileSync(`${folder}/../docs/conformance.md`, 'utf8');
    const reviewed = [...document.matchAll(/^\| `([^`]+)` +\| REVIEW /gm)].map(([, module = '']) => module);
    expect([...new Set(shown)].toSorted()).toEqual([...new Set(reviewed)].toSorted());
    expect(shown.filter((module) => !modules.has(module))).toEqual([]);
  });
});

const commandsFor = (name: string): readonly Configuration['browser'][number][] => {
  const isLogout = name.startsWith('oidcc-rp-initiated-logout');
  const usual = configurations[isLogout ? 'oidcc-rp-initiated-logout-static.json' : 'oidcc-static.json'];
  const own = Object.values(configurations).find(({ override }) => override[name] !== undefined);
  return own?.override[name]?.browser ?? usual?.browser ?? [];
};

describeInBrowser('modules in Chromium, by the command lists for the official suite', (browser) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage();
  }, databaseTimeoutMilliseconds);

  afterAll(() => stage.stop());

  const reviewed = Object.values(configurations).flatMap(({ override }) => Object.keys(override));
  const runs: readonly (readonly [module: string, responseMode: Variant['responseMode'], result: string])[] = [
    ['oidcc-server', 'default', 'PASSED'],
    ['oidcc-server', 'form_post', 'PASSED'],
    ['oidcc-response-type-missing', 'form_post', 'PASSED'],
    ['oidcc-prompt-none-logged-in', 'default', 'PASSED'],
    ['oidcc-rp-initiated-logout', 'default', 'PASSED'],
    ...reviewed.map((name) => [name, 'default', 'REVIEW'] as const),
  ];

  test.each(runs)(
    '%s, response mode %s: %s',
    async (name, responseMode, expected) => {
      const entry = plans.flatMap(({ entries }) => entries).find(({ module }) => module === name);
      if (entry === undefined) throw new Error(`no plan has ${name}`);
      const variant = { ...entry.variant, responseMode };
      const openBrowser = openChromium(browser(), commandsFor(name));
      const { result, notes } = await stage.run(await loadModule(name), variant, { openBrowser });
      expect(`${result} ${notes.join('; ')}`).toStartWith(expected);
    },
    60_000,
  );
});
