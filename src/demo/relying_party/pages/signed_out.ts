import { html, type Safe } from '../../../login/html.ts';
import { link } from '../../../login/link.ts';
import type { PageContext } from './context.ts';
import { buttonForm } from './form.ts';
import { layout } from './layout.ts';

/** Home for a browser that is not signed in. */
export function signedOutHome(context: PageContext): Safe {
  return layout({
    title: 'Sign in',
    body: html`<div class="narrow">
<h1>An application that leaves sign-in to Limen</h1>
<p class="lead">It never sees your password. It gets a code, trades it for tokens, checks them, and shows you everything it got.</p>
<section class="card" aria-label="Sign in">
${signInButtons(context)}
${credentials(context)}
</section>
<h2>What will happen</h2>
<ol class="steps">
<li>Your browser goes to the provider with a <code>state</code>, a <code>nonce</code> and a PKCE <code>code_challenge</code>.</li>
<li>The provider asks who you are, and whether this application may know.</li>
<li>It sends your browser back with a code that works once, for a minute.</li>
<li>This application redeems the code and checks the ID token’s signature against the provider’s keys.</li>
</ol>
${provider(context)}
</div>`,
  });
}

/** Where the provider sends the browser after RP-initiated logout. */
export function signedOut(context: PageContext): Safe {
  return layout({
    title: 'Signed out',
    body: html`<div class="narrow">
<h1 id="rp-signed-out">You are signed out</h1>
<p class="lead">This application has forgotten your tokens, and the provider was asked to end your session with it.</p>
<section class="card" aria-label="Sign in">
${signInButtons(context)}
${credentials(context)}
</section>
</div>`,
  });
}

/** Both kinds of client, where there are two. */
function signInButtons({ clients, formToken }: PageContext): Safe {
  const { primary, secondary } = clients;
  return html`${buttonForm({
    id: 'sign-in',
    action: '/sign-in',
    label: 'Sign in with Limen',
    formToken,
    primary: true,
    fields: { client_id: primary },
  })}
${
  secondary !== null &&
  buttonForm({
    id: 'sign-in-public',
    action: '/sign-in',
    label: `As public client ${secondary}`,
    formToken,
    fields: { client_id: secondary },
  })
}`;
}

const credentials = ({ users }: PageContext): Safe | false =>
  users.length > 0 &&
  html`<p id="demo-credentials" class="credentials">Demo users ${users.map(
    ({ username, password }) => html`<span><code>${username}</code> / <code>${password}</code></span>`,
  )}</p>`;

function provider({ issuer }: PageContext): Safe {
  const discovery = link(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  return html`<p class="fine">Provider: <code id="issuer">${issuer}</code>${
    discovery !== null && html` · <a href="${discovery}">its discovery document</a>`
  }</p>`;
}
