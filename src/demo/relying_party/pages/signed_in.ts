import { html, type Safe } from '../../../login/html.ts';
import type { Notice } from '../notice.ts';
import type { SignedIn } from '../sessions.ts';
import { decodeToken } from '../token_view.ts';
import { claimsTable } from './claims_table.ts';
import type { PageContext } from './context.ts';
import { familyView } from './family.ts';
import { buttonForm } from './form.ts';
import { layout } from './layout.ts';
import { faultView } from './provider_fault.ts';

/** Home for a signed-in browser: everything the application got, and buttons to try it. */
export function signedInHome(context: PageContext, signedIn: SignedIn, notice: Notice | null): Safe {
  const { formToken } = context;
  return layout({
    title: 'Signed in',
    aside: buttonForm({ id: 'sign-out', action: '/sign-out', label: 'Sign out', formToken }),
    body: html`<h1>Hello, <span id="display-name">${signedIn.displayName}</span></h1>
<p class="lead">Client <code>${signedIn.clientId}</code> at <code>${context.baseUrl}</code>, signed in at <code>${context.issuer}</code>.</p>
${familyView(context, signedIn, notice)}
${idTokenSection(signedIn)}
${accessTokenSection(signedIn)}
${userinfoSection(signedIn)}`,
  });
}

function idTokenSection({ idToken }: SignedIn): Safe {
  const decoded = decodeToken(idToken.jwt);
  return html`<section class="card" id="id-token" aria-labelledby="id-token-title">
<h2 id="id-token-title">ID token</h2>
<p>Who signed in, for this application alone. Its signature, issuer, audience, nonce and times were checked.</p>
${decoded !== null && claimsTable('Header', decoded.header)}
${claimsTable('Claims', idToken.claims)}
${rawToken('Raw ID token', idToken.jwt)}
</section>`;
}

function accessTokenSection({ accessToken }: SignedIn): Safe {
  const decoded = decodeToken(accessToken);
  return html`<section class="card" id="access-token" aria-labelledby="access-token-title">
<h2 id="access-token-title">Access token</h2>
<p>What this application may do at an API. An application treats it as opaque; you may look inside.</p>
${
  decoded === null
    ? html`<p>This one is opaque: only the provider can read it.</p>`
    : html`${claimsTable('Header', decoded.header)}
${claimsTable('Claims', decoded.claims)}`
}
${rawToken('Raw access token', accessToken)}
</section>`;
}

function userinfoSection({ userinfo, family }: SignedIn): Safe {
  const ended = !family.alive && html`<p>The access token ended with its family, at once.</p>`;
  return html`<section class="card" id="userinfo" aria-labelledby="userinfo-title">
<h2 id="userinfo-title">Userinfo</h2>
<p>What the provider says about the user to whoever holds the access token, asked anew after every button.</p>
${
  userinfo.ok
    ? claimsTable('Claims', userinfo.value)
    : html`<div class="notice bad">${ended}${faultView(userinfo.error)}</div>`
}
</section>`;
}

const rawToken = (summary: string, token: string): Safe =>
  html`<details><summary>${summary}</summary><code class="value raw">${token}</code></details>`;
