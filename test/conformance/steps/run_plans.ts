import type { Entry, Plan } from '../plans.ts';
import { loadModule } from './module.ts';
import type { Stage } from './stage.ts';
import type { Outcome } from './verdict.ts';

/** The outcomes of a plan's entries, in their order. */
export type PlanOutcomes = { readonly plan: Plan; readonly outcomes: readonly Outcome[] };

/** Modules that run at the same time. */
export const planLanes = 4;

const deadlineMilliseconds = 60_000;

type Job = { readonly plan: Plan; readonly entry: Entry };

/** Runs everything: what can run beside others does, and then, one by one, what cannot. */
export async function runPlans(
  stage: Stage,
  plans: readonly Plan[],
  onEnd: (job: Job, outcome: Outcome) => void = () => {},
): Promise<readonly PlanOutcomes[]> {
  const ended = new Map<Entry, Outcome>();
  const run = async (job: Job, lane: number): Promise<void> => {
    const { module, variant } = job.entry;
    const outcome = await Promise.race([
      stage.run(await loadModule(module), variant, { lane }),
      Bun.sleep(deadlineMilliseconds).then((): Outcome => ({ result: 'FAILED', notes: ['it does not end'] })),
    ]);
    ended.set(job.entry, outcome);
    onEnd(job, outcome);
  };
  const beside: Job[] = [];
  const alone: Job[] = [];
  for (const plan of plans) {
    for (const entry of plan.entries) {
      const module = await loadModule(entry.module);
      (module.alone === true ? alone : beside).push({ plan, entry });
    }
  }
  const lane = async (_: unknown, number: number): Promise<void> => {
    for (let job = beside.shift(); job !== undefined; job = beside.shift()) await run(job, number);
  };
  await Promise.all(Array.from({ length: planLanes }, lane));
  for (const job of alone) await run(job, 0);
  return plans.map((plan) => ({ plan, outcomes: plan.entries.map((entry) => ended.get(entry) ?? neverRan) }));
}

const neverRan: Outcome = { result: 'FAILED', notes: ['it did not run'] };
