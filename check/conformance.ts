/**
 * `bun run conformance`: runs every module of every plan in `test/conformance/plans.ts` against a provider of its own,
 * prints plan × module × result and writes it to docs/conformance.md. `test/conformance/plans.test.ts` does the same within
 * `bun run check` and fails where the document says something else.
 */
import { writeFileSync } from 'node:fs';
import { plans } from '../test/conformance/plans.ts';
import { type PlanOutcomes, planLanes, runPlans } from '../test/conformance/steps/run_plans.ts';
import { openStage } from '../test/conformance/steps/stage.ts';
import { results } from '../test/conformance/steps/verdict.ts';
import { markdownTable } from './markdown.ts';

const rowsOf = ({ plan, outcomes }: PlanOutcomes): readonly (readonly string[])[] =>
  plan.entries.map(({ module, gap }, index) => {
    const { result = 'FAILED', notes = ['it did not run'] } = outcomes[index] ?? {};
    return [`\`${module}\``, result, [...notes, ...(gap === undefined ? [] : [gap])].join('; ')];
  });

function summaryRow({ plan, outcomes }: PlanOutcomes): readonly string[] {
  const counts = results.map((wanted) => String(outcomes.filter(({ result }) => result === wanted).length));
  return [plan.title, String(plan.entries.length), ...counts];
}

const summary = (all: readonly PlanOutcomes[]): string =>
  markdownTable(['plan', 'modules', ...results.map((result) => result.toLowerCase())], all.map(summaryRow));

/** Every reason for REVIEW and SKIPPED, and why nothing is done about it. */
const notPassed: readonly (readonly string[])[] = [
  [
    'REVIEW',
    'all of them',
    'The suite takes a screenshot of a page and leaves the verdict to a person, whatever the provider does. Where it would pass an error that is redirected instead of shown (`response-type-missing`, `ensure-request-without-nonce-fails`), we redirect it. The others must not be redirected: the address they came with is not a registered one.',
  ],
  [
    'SKIPPED',
    '`idtoken-unsigned`',
    'Unsigned ID tokens are not issued. OIDC Core §2 allows them by the code flow only, to clients that ask for them, and nobody needs them: the token would vouch for nothing once it is passed on.',
  ],
  [
    'SKIPPED',
    '`request-uri-unsigned`, `…-supported-correctly-or-rejected-as-unsupported`, `ensure-request-object-with-redirect-uri`',
    'Request objects must be signed by the client: `none` is not among the algorithms offered. An unsigned one says nothing that the query could not (RFC 9101 §10.2), and what is fetched for it would be anybody’s. Signed ones are examined by `request-uri-signed-rs256`.',
  ],
];

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

The harness speaks plain HTTP to a provider on loopback, so it says nothing of the provider's TLS; what the provider asks for by
itself (\`jwks_uri\`, \`request_uri\`, sectors, back-channel logout) is served by https. It moves the provider's clock
instead of waiting 30 seconds and more.

## What keeps a module from PASSED

${markdownTable(['result', 'modules', 'why it stays so'], notPassed)}`;

/** All of docs/conformance.md. */
export function conformanceDocument(all: readonly PlanOutcomes[]): string {
  const sections = all.map((one) => {
    const variants = one.plan.variants.map((variant) => `[${variant}]`).join('');
    const table = markdownTable(['module', 'result', 'why'], rowsOf(one));
    return `## ${one.plan.title}\n\n\`${one.plan.name}${variants}\`\n\n${table}`;
  });
  return `${[introduction, summary(all), ...sections].join('\n\n')}\n`;
}

/** Runs everything and says how each module ended. */
async function runAll(): Promise<readonly PlanOutcomes[]> {
  const stage = await openStage(planLanes);
  const all = await runPlans(stage, plans, ({ plan, entry: { module, gap } }, { result, notes }) => {
    const why = [...notes, ...(gap === undefined ? [] : [gap])].join('; ');
    console.log(`${result.padEnd(8)} ${plan.title.padEnd(40)} ${module}${why === '' ? '' : `: ${why}`}`);
  });
  await stage.stop();
  return all;
}

if (import.meta.main) {
  const all = await runAll();
  writeFileSync(new URL('../docs/conformance.md', import.meta.url), conformanceDocument(all));
  console.log(`\n${summary(all)}`);
  const isBad = all.some(({ plan, outcomes }) =>
    outcomes.some(({ result }, index) => ['FAILED', 'WARNING'].includes(result) && !plan.entries[index]?.gap),
  );
  process.exit(isBad ? 1 : 0);
}
