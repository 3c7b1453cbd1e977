import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Configuration, configurations } from '../../conformance/configuration.ts';
import { plans } from '../conformance/plans.ts';
import { openChromium } from '../conformance/steps/chromium.ts';
import type { Variant } from '../conformance/steps/environment.ts';
import { loadModule } from '../conformance/steps/module.ts';
import { openStage, type Stage } from '../conformance/steps/stage.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { describeInBrowser } from './browser.ts';

const commandsFor = (name: string): readonly Configuration['browser'][number][] => {
  const isLogout = name.includes('-rp-initiated-logout');
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
    ['oidcc-session-management-rp-initiated-logout', 'default', 'PASSED'],
    ['oidcc-frontchannel-rp-initiated-logout', 'default', 'PASSED'],
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
