import { html, type Safe } from '../../../login/html.ts';
import type { ProviderFault } from '../provider_fault.ts';
import type { PageContext } from './context.ts';
import { buttonForm } from './form.ts';
import { layout } from './layout.ts';
import { faultView } from './provider_fault.ts';

/** A sign-in that did not end in tokens, with the way to try again. */
export function signInRefused(context: PageContext, fault: ProviderFault, clientId: string): Safe {
  return layout({
    title: 'Not signed in',
    body: html`<div class="narrow">
<h1>Not signed in</h1>
<section class="card" aria-label="What the provider said">
${faultView(fault)}
<div class="buttons">
${buttonForm({
  id: 'try-again',
  action: '/sign-in',
  label: 'Try again',
  formToken: context.formToken,
  primary: true,
  fields: { client_id: clientId },
})}
<a class="button" href="/">Start page</a>
</div>
</section>
</div>`,
  });
}

/** A fault on our side of the wire: a page that is not there, a form that is too old, a callback nobody waits for. */
export function plainRefusal(
  title: string,
  sentence: string,
  facts: readonly (readonly [string, string])[] = [],
): Safe {
  return layout({
    title,
    body: html`<div class="narrow">
<h1>${title}</h1>
<section class="card" aria-label="What happened">
<p>${sentence}</p>
${
  facts.length > 0 &&
  html`<dl class="facts">${facts.map(
    ([name, value]) => html`<dt>${name}</dt><dd id="${`given-${name}`}"><code class="value">${value}</code></dd>`,
  )}</dl>`
}
<div class="buttons"><a class="button primary" id="try-again" href="/">Try again from the start page</a></div>
</section>
</div>`,
  });
}
