import { html, type Safe } from '../../../login/html.ts';
import { claimMeanings } from '../claim_meanings.ts';
import type { Claims } from '../provider.ts';
import { claimText } from '../token_view.ts';

/** Claims by wire name, each with what it means. `caption` names the table for assistive technology and on the page. */
export function claimsTable(caption: string, claims: Claims): Safe {
  return html`<table class="claims">
<caption>${caption}</caption>
<tbody>${Object.entries(claims).map(([name, value]) => claimRow(name, value))}</tbody>
</table>`;
}

function claimRow(name: string, value: unknown): Safe {
  const { text, date } = claimText(name, value);
  const meaning = claimMeanings.get(name);
  return html`<tr data-claim="${name}"><th scope="row"><code>${name}</code>${
    meaning !== undefined && html`<small>${meaning}</small>`
  }</th><td><code class="value">${text}</code>${date !== null && html`<small>${date}</small>`}</td></tr>
`;
}
