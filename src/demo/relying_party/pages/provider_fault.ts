import { html, type Safe } from '../../../login/html.ts';
import type { ProviderFault } from '../provider_fault.ts';

/** A fault of the provider, exactly as it came, with a sentence of ours above it. */
export function faultView(fault: ProviderFault): Safe {
  const { sentence, facts } = describe(fault);
  return html`<p>${sentence}</p>
<dl class="facts">${facts.map(
    ([name, id, value]) => html`<dt>${name}</dt><dd id="${id}"><code class="value">${value}</code></dd>`,
  )}</dl>`;
}

type Fact = readonly [name: string, id: string, value: string];
type Description = { readonly sentence: string; readonly facts: readonly Fact[] };

function describe(fault: ProviderFault): Description {
  switch (fault.kind) {
    case 'authorization_refused':
      return {
        sentence:
          fault.error === 'access_denied'
            ? 'You, or a rule of the provider, said no. Nothing was issued and nothing is lost.'
            : 'The provider sent the browser back with an error instead of a code. Nothing was issued.',
        facts: facts(
          ['error', 'error', fault.error],
          ['error_description', 'error-description', fault.description],
          ['iss', 'error-issuer', fault.iss],
        ),
      };
    case 'refused':
      return {
        sentence: 'The provider answered this application with an error.',
        facts: facts(
          ['HTTP status', 'error-status', String(fault.status)],
          ['error', 'error', fault.error],
          ['error_description', 'error-description', fault.description],
        ),
      };
    case 'unacceptable':
      return {
        sentence: 'The provider’s answer did not pass this application’s own checks, so it was thrown away.',
        facts: facts(['check', 'error', fault.code], ['reason', 'error-description', fault.reason]),
      };
    case 'unreachable':
      return {
        sentence: 'This application could not reach the provider. Is it running?',
        facts: facts(['reason', 'error', fault.reason], ['issuer', 'error-issuer', fault.issuer]),
      };
  }
}

const facts = (...rows: readonly (readonly [string, string, string | null])[]): readonly Fact[] =>
  rows.flatMap(([name, id, value]): readonly Fact[] => (value === null ? [] : [[name, id, value]]));
