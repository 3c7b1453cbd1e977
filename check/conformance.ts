/**
 * `bun run conformance`: runs every module of every plan in `test/conformance/plans.ts` against a provider of its own,
 * prints plan × module × result and writes it to docs/conformance.md. `test/conformance/plans.test.ts` does the same within
 * `bun run check` and fails where the document says something else.
 */
import { writeFileSync } from 'node:fs';
import { type Plan, plans } from '../test/conformance/plans.ts';
import { loadModule } from '../test/conformance/steps/module.ts';
import { openStage } from '../test/conformance/steps/stage.ts';
import { type Outcome, results } from '../test/conformance/steps/verdict.ts';
import { markdownTable } from './markdown.ts';

/** The outcomes of a plan's entries, in their order. */
export type PlanOutcomes = { readonly plan: Plan; readonly outcomes: readonly Outcome[] };

const rowsOf = ({ plan, outcomes }: PlanOutcomes): readonly (readonly string[])[] => [
  ...plan.entries.map(({ module, gap }, index) => {
    const { result = 'FAILED', notes = ['it did not run'] } = outcomes[index] ?? {};
    return [`\`${module}\``, result, [...notes, ...(gap === undefined ? [] : [gap])].join('; ')];
  }),
  ...plan.notYet.map(({ module, reason }) => [`\`${module}\``, 'NOT YET', reason]),
];

function summaryRow({ plan, outcomes }: PlanOutcomes): readonly string[] {
  const counts = results.map((wanted) => String(outcomes.filter(({ result }) => result === wanted).length));
  return [plan.title, String(plan.entries.length + plan.notYet.length), ...counts, String(plan.notYet.length)];
}

const summary = (all: readonly PlanOutcomes[]): string =>
  markdownTable(['plan', 'modules', ...results.map((result) => result.toLowerCase()), 'not yet'], all.map(summaryRow));

const introduction = `# Conformance

What the harness in \`test/conformance/\` finds: a file per module of the certification plans of the
[OpenID conformance suite](https://gitlab.com/openid/conformance-suite), by the same name, asserting what that module
asserts, over HTTP, against a running provider that offers all it can: registration is open, and implicit and hybrid response
types and session management, which are off unless they are switched on, are on. \`bun run conformance\` writes this page, and a test of
\`bun run check\` fails where it is out of date. It is our own reading of the suite and no certification: how to run the
suite itself is in [its guide](guides/openid-conformance.md).

- **PASSED**: nothing to add.
- **REVIEW**: everything that a program can assert holds; the suite then wants a person to look at a page.
- **SKIPPED**: does not apply to what is offered here, as the suite would find too.
- **WARNING**, **FAILED**: a defect. Both fail \`bun run check\`, unless the gap is listed in \`test/conformance/plans.ts\`.
- **NOT YET**: the harness has no such module.

The harness runs on plain HTTP over loopback, so it says nothing of TLS; and it moves the provider's clock instead of
waiting 30 seconds.`;

/** All of docs/conformance.md. */
export function conformanceDocument(all: readonly PlanOutcomes[]): string {
  const sections = all.map((one) => {
    const variants = one.plan.variants.map((variant) => `[${variant}]`).join('');
    const table = markdownTable(['module', 'result', 'why'], rowsOf(one));
    return `## ${one.plan.title}\n\n\`${one.plan.name}${variants}\`\n\n${table}`;
  });
  return `${[introduction, summary(all), ...sections].join('\n\n')}\n`;
}

/** Runs everything, one module after the other. */
async function runPlans(): Promise<readonly PlanOutcomes[]> {
  const stage = await openStage();
  const all: PlanOutcomes[] = [];
  for (const plan of plans) {
    const outcomes: Outcome[] = [];
    for (const { module, variant, gap } of plan.entries) {
      const outcome = await stage.run(await loadModule(module), variant);
      outcomes.push(outcome);
      const notes = [...outcome.notes, ...(gap === undefined ? [] : [gap])].join('; ');
      console.log(`${outcome.result.padEnd(8)} ${plan.title.padEnd(24)} ${module}${notes === '' ? '' : `: ${notes}`}`);
    }
    for (const { module, reason } of plan.notYet) {
      console.log(`NOT YET  ${plan.title.padEnd(24)} ${module}: ${reason}`);
    }
    all.push({ plan, outcomes });
  }
  await stage.stop();
  return all;
}

if (import.meta.main) {
  const all = await runPlans();
  writeFileSync(new URL('../docs/conformance.md', import.meta.url), conformanceDocument(all));
  console.log(`\n${summary(all)}`);
  const isBad = all.some(({ plan, outcomes }) =>
    outcomes.some(({ result }, index) => ['FAILED', 'WARNING'].includes(result) && !plan.entries[index]?.gap),
  );
  process.exit(isBad ? 1 : 0);
}
