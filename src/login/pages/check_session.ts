import { html, Safe } from '../html.ts';
import { hashSource } from '../style.ts';

/**
 * OIDC Session Management §3.2. It answers the page around it and nobody else, and says only whether the state that was
 * sent is still the one that it computes for the sender's own origin. What it cannot compute is an `error`: that makes the
 * application ask again, never believe.
 */
const script = `
  const name = document.documentElement.dataset.cookie + '=';
  const browserState = () => {
    const pair = document.cookie.split('; ').find((one) => one.startsWith(name));
    return pair === undefined ? '' : pair.slice(name.length);
  };
  const message = /^([!-~]+) ([0-9a-f]{64})[.]([A-Za-z0-9_-]+)$/;
  const verdict = async (data, origin) => {
    const [, clientId, sent, salt] = (typeof data === 'string' && message.exec(data)) || [];
    const { subtle } = window.crypto;
    if (sent === undefined || subtle === undefined) return 'error';
    const text = [clientId, origin, browserState(), salt].join(' ');
    const bytes = new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(text)));
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex === sent ? 'unchanged' : 'changed';
  };
  addEventListener('message', (event) => {
    if (window.parent === window || event.source !== window.parent || event.origin === 'null') return;
    verdict(event.data, event.origin).then((word) => event.source.postMessage(word, event.origin));
  });
`;
const scriptElement = new Safe(`<script>${script}</script>`);

/** What lets the script of this page, and no other, through. */
export const checkSessionScriptHash = hashSource(script);

/** Nobody sees it. `cookie`: the name of the cookie that holds the browser state. */
export const checkSessionPage = ({ cookie }: { readonly cookie: string }): string =>
  html`<!doctype html>
<html lang="en" data-cookie="${cookie}">
<head><meta charset="utf-8"><title>check_session_iframe</title></head>
<body>
${scriptElement}
</body>
</html>
`.toString();
