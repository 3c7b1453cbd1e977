import { html, type Safe } from '../../../login/html.ts';
import { currentOf, type Family, replayable } from '../family.ts';
import type { Notice } from '../notice.ts';
import type { SignedIn } from '../sessions.ts';
import type { PageContext } from './context.ts';
import { buttonForm } from './form.ts';
import { noticeView } from './notice.ts';

/** The refresh tokens of this sign-in, what was done with them last, and what can be tried. */
export function familyView(context: PageContext, signedIn: SignedIn, notice: Notice | null): Safe {
  const { family } = signedIn;
  return html`<section class="card" id="family" aria-labelledby="family-title">
<div class="title"><h2 id="family-title">Refresh-token family</h2>${stateView(family)}</div>
<p>Every refresh gives the next generation; the one before is spent. Only fingerprints are shown.</p>
${generationsView(family)}
${notice !== null && noticeView(notice)}
${buttons(context, signedIn)}
${explanation(family)}
</section>`;
}

function stateView(family: Family): Safe {
  const state = family.generations.length === 0 ? 'none' : family.alive ? 'alive' : 'dead';
  return html`<span id="family-state" class="state ${state}" data-state="${state}">${state}</span>`;
}

function generationsView(family: Family): Safe {
  const current = currentOf(family);
  if (current === undefined) return html`<p>The provider gave this client no refresh token.</p>`;
  return html`<ol id="generations" class="generations">${family.generations.map(({ number, fingerprint }) => {
    const state = number < current.number ? 'spent' : family.alive ? 'current' : 'dead';
    return html`<li class="${state}" data-generation="${number}" data-state="${state}"><span class="number">${number}</span><code>${fingerprint}</code><small>${state}</small></li>
`;
  })}</ol>`;
}

function buttons({ formToken }: PageContext, { family, clientId }: SignedIn): Safe {
  return html`<div class="buttons">
${
  family.alive
    ? buttonForm({ id: 'refresh', action: '/refresh', label: 'Refresh', formToken, primary: true })
    : html`${buttonForm({
        id: 'sign-in-again',
        action: '/sign-in',
        label: 'Sign in again',
        formToken,
        primary: true,
        fields: { client_id: clientId },
      })}
${buttonForm({ id: 'refresh', action: '/refresh', label: 'Refresh', formToken })}`
}
${buttonForm({ id: 'replay-parent', action: '/replay-parent', label: 'Replay the parent', formToken })}
${buttonForm({ id: 'replay-old', action: '/replay-old', label: 'Replay the oldest', formToken })}
</div>`;
}

function explanation(family: Family): Safe {
  const oldest = replayable(family, 'oldest');
  return html`<p class="fine"><strong>Replay the parent</strong> presents the token just before the current one, as a retry or a second tab would. By design it is answered with the same heir: at any time to a client that authenticates, within the leeway to a public one.</p>
<p class="fine"><strong>Replay the oldest</strong> presents generation ${
    oldest.ok ? oldest.value.number : 1
  }, as only a stale copy or a thief would: two or more generations back is reuse.${
    !oldest.ok && html` <span id="replay-hint">Refresh ${oldest.error === 1 ? 'once more' : 'twice'} to try it.</span>`
  }</p>`;
}
