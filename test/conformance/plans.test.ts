import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { conformanceDocument } from '../../check/conformance.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { plans } from './plans.ts';
import { loadModule } from './steps/module.ts';
import { openStage, type Stage } from './steps/stage.ts';
import type { Outcome } from './steps/verdict.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
}, databaseTimeoutMilliseconds);

afterAll(() => stage.stop());

const moduleTimeoutMilliseconds = 60_000;

const all = plans.map((plan) => ({ plan, outcomes: [] as Outcome[] }));

for (const { plan, outcomes } of all) {
  describe(`${plan.name}, ${plan.title}`, () => {
    for (const { module: name, variant, gap } of plan.entries) {
      test(
        gap === undefined ? name : `${name} still fails: ${gap}`,
        async () => {
          const outcome = await stage.run(await loadModule(name), variant);
          outcomes.push(outcome);
          const allowed = gap === undefined ? ['PASSED', 'REVIEW', 'SKIPPED'] : ['FAILED'];
          if (!allowed.includes(outcome.result)) throw new Error(`${outcome.result}: ${outcome.notes.join('; ')}`);
        },
        moduleTimeoutMilliseconds,
      );
    }
  });
}

test('docs/conformance.md says what was found (`bun run conformance` writes it)', () => {
  expect(readFileSync(`${import.meta.dir}/../../docs/conformance.md`, 'utf8')).toBe(conformanceDocument(all));
});

describe('the plans', () => {
  test('have as many modules as the official ones', () => {
    const counts = plans.map(({ entries, notYet }) => [entries.length, entries.length + notYet.length]);
    expect(counts).toEqual([
      [38, 38],
      [1, 1],
      [21, 23],
      [38, 38],
      [2, 2],
      [11, 11],
      [1, 2],
      [2, 2],
      [2, 2],
      [27, 27],
      [31, 31],
      [36, 36],
      [33, 33],
      [33, 33],
    ]);
  });

  test('name every file under modules/, and each file defines the module that it is named after', async () => {
    const files = readdirSync(`${import.meta.dir}/modules`).map((file) => file.replace(/\.ts$/, ''));
    const named = new Set(plans.flatMap(({ entries }) => entries.map(({ module }) => module)));
    expect(files.toSorted()).toEqual([...named].toSorted());
    const defined = await Promise.all(files.map(async (file) => (await loadModule(file)).name));
    expect(defined).toEqual(files);
  });
});
