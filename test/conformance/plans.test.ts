import { beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { conformanceDocument } from '../../check/conformance.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { plans } from './plans.ts';
import { loadModule } from './steps/module.ts';
import { type PlanOutcomes, planLanes, runPlans } from './steps/run_plans.ts';
import { openStage } from './steps/stage.ts';

const limitMilliseconds = 300_000;

let all: readonly PlanOutcomes[] = [];

beforeAll(async () => {
  const stage = await openStage(planLanes);
  all = await runPlans(stage, plans);
  await stage.stop();
}, databaseTimeoutMilliseconds + limitMilliseconds);

for (const [index, plan] of plans.entries()) {
  describe(`${plan.name}, ${plan.title}`, () => {
    for (const [place, { module: name, gap }] of plan.entries.entries()) {
      test(gap === undefined ? name : `${name} still fails: ${gap}`, () => {
        const { result = 'FAILED', notes = [] } = all[index]?.outcomes[place] ?? {};
        const allowed = gap === undefined ? ['PASSED', 'REVIEW', 'SKIPPED'] : ['FAILED'];
        if (!allowed.includes(result)) throw new Error(`${result}: ${notes.join('; ')}`);
      });
    }
  });
}

test('docs/conformance.md says what was found (`bun run conformance` writes it)', () => {
  expect(readFileSync(`${import.meta.dir}/../../docs/conformance.md`, 'utf8')).toBe(conformanceDocument(all));
});

describe('the plans', () => {
  test('have as many modules as the official ones', () => {
    const counts = plans.map(({ entries }) => entries.length);
    const implicit = [27, 31];
    const hybrid = [36, 33, 33];
    expect(counts).toEqual([38, 1, 23, 38, 2, 11, 2, 2, 2, ...implicit, ...hybrid, ...implicit, ...hybrid]);
  });

  test('name every file under modules/, and each file defines the module that it is named after', async () => {
    const files = readdirSync(`${import.meta.dir}/modules`).map((file) => file.replace(/\.ts$/, ''));
    const named = new Set(plans.flatMap(({ entries }) => entries.map(({ module }) => module)));
    expect(files.toSorted()).toEqual([...named].toSorted());
    const defined = await Promise.all(files.map(async (file) => (await loadModule(file)).name));
    expect(defined).toEqual(files);
  });
});
