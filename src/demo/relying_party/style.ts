/** One sheet for all pages. Its accent differs from the provider's, so that one sees where one is. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #f4f6f4; --surface: #ffffff; --edge: #dfe4e0; --text: #191d1b; --muted: #57605b; --sunken: #f4f6f4;
  --field-edge: #7d8781; --accent: #0f6b5c; --accent-strong: #0a5246; --on-accent: #ffffff; --accent-soft: #e3f2ee;
  --good: #0b6140; --good-soft: #e6f4ec; --bad: #8c1d18; --bad-soft: #fdf0ee; --bad-edge: #c6382f;
  --shadow: 0 1px 2px rgb(20 30 26 / 4%), 0 8px 24px rgb(20 30 26 / 5%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111413; --surface: #1a1e1c; --edge: #2d3330; --text: #eaefec; --muted: #a5afaa; --sunken: #131615;
    --field-edge: #75807a; --accent: #7fd6c2; --accent-strong: #a3e6d6; --on-accent: #06221c; --accent-soft: #1d332d;
    --good: #8bdcb4; --good-soft: #17301f; --bad: #ffb8b0; --bad-soft: #351d1c; --bad-edge: #e5736a;
    --shadow: none;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { text-size-adjust: 100%; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-block-size: 100vh; background: var(--ground); color: var(--text); overflow-wrap: anywhere;
  font: 400 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
}
.bar, main { max-inline-size: 60rem; margin-inline: auto; padding-inline: 1.25rem; }
.bar { display: flex; align-items: center; justify-content: space-between; gap: 1rem; min-block-size: 4.5rem; }
.brand { display: flex; align-items: center; gap: 0.625rem; color: inherit; font-weight: 600; text-decoration: none; }
.brand img { flex: none; }
main { padding-block: 1.5rem 4rem; }
.narrow { max-inline-size: 36rem; margin-inline: auto; padding-block-start: clamp(0rem, 5vh, 3rem); }
h1 { margin: 0 0 0.75rem; font-size: clamp(1.625rem, 4vw, 2rem); font-weight: 650; line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h2 { margin: 0; font-size: 1.1875rem; font-weight: 650; line-height: 1.3; }
p { margin: 0 0 1rem; }
.lead { margin-block-end: 2rem; color: var(--muted); text-wrap: pretty; }
.card { margin-block-end: 1.5rem; padding: 1.5rem 1.75rem; background: var(--surface); border: 1px solid var(--edge); border-radius: 0.875rem; box-shadow: var(--shadow); }
.card > :last-child { margin-block-end: 0; }
.card > h2 { margin-block-end: 0.25rem; }
.card > h2 + p, .title + p { color: var(--muted); }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 0.75rem; margin-block-end: 0.25rem; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.875em; }
small { font-size: 0.8125rem; color: var(--muted); }
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form { margin: 0; }
button, .button {
  display: inline-flex; align-items: center; justify-content: center; min-block-size: 2.75rem; padding: 0.375rem 1.125rem;
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; color: var(--text);
  background: transparent; border: 1px solid var(--field-edge); border-radius: 0.625rem; transition: background-color 120ms ease;
}
button:hover, .button:hover { background: var(--accent-soft); }
.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
.buttons { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-block: 1.25rem; }
.narrow .card > form button { inline-size: 100%; min-block-size: 3rem; }
.narrow .card > form + form { margin-block-start: 0.75rem; }
.credentials { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1rem; margin-block: 1.25rem 0; color: var(--muted); font-size: 0.9375rem; }
.credentials code { color: var(--text); font-size: 0.9375rem; user-select: all; }
.narrow h1 + .card { margin-block-start: 1.5rem; }
.narrow > h2 { margin-block: 2.25rem 0.75rem; }
.steps { margin: 0 0 2rem; padding: 0; list-style: none; counter-reset: step; }
.steps li { position: relative; padding: 0 0 0.875rem 2.25rem; counter-increment: step; }
.steps li::before {
  content: counter(step); position: absolute; inset: 0.0625rem auto auto 0; inline-size: 1.5rem; block-size: 1.5rem; border-radius: 50%;
  background: var(--accent-soft); color: var(--accent); font-size: 0.8125rem; font-weight: 650; line-height: 1.5rem; text-align: center;
}
.fine { color: var(--muted); font-size: 0.9375rem; }
.fine + .fine { margin-block-start: -0.5rem; }
.fine strong { color: var(--text); font-weight: 600; }
.state { padding: 0.0625rem 0.625rem; border-radius: 1rem; font-size: 0.8125rem; font-weight: 650; background: var(--sunken); color: var(--muted); }
.state.alive { background: var(--good-soft); color: var(--good); }
.state.dead { background: var(--bad-soft); color: var(--bad); }
.generations { display: flex; flex-wrap: wrap; gap: 0.625rem; margin: 0 0 1.25rem; padding: 0; list-style: none; }
.generations li { display: grid; grid-template-columns: auto 1fr; gap: 0 0.625rem; align-items: center; padding: 0.375rem 0.875rem 0.375rem 0.5rem; border: 1px solid var(--edge); border-radius: 0.625rem; }
.generations .number { grid-row: span 2; display: grid; place-items: center; min-inline-size: 1.75rem; block-size: 1.75rem; padding-inline: 0.375rem; border-radius: 1rem; background: var(--sunken); color: var(--muted); font-size: 0.875rem; font-weight: 650; }
.generations code, .generations small { line-height: 1.3; }
.generations .spent code { color: var(--muted); text-decoration: line-through; }
.generations .current { border-color: var(--accent); background: var(--accent-soft); }
.generations .current .number { background: var(--accent); color: var(--on-accent); }
.generations .dead { border-color: var(--bad-edge); background: var(--bad-soft); }
.generations .dead .number { background: var(--bad-edge); color: var(--bad-soft); }
.generations .dead small { color: var(--bad); }
.notice { margin-block: 0 1.25rem; padding: 0.875rem 1rem; border-radius: 0.625rem; background: var(--sunken); border-inline-start: 0.25rem solid var(--field-edge); }
.notice.good { background: var(--good-soft); border-color: var(--good); }
.notice.bad { background: var(--bad-soft); border-color: var(--bad-edge); }
.notice > :last-child { margin-block-end: 0; }
.notice.good strong { color: var(--good); }
.notice.bad strong { color: var(--bad); }
.exchange { display: grid; gap: 0.375rem; margin: 0; padding: 0; list-style: none; font-size: 0.9375rem; }
.exchange li { display: flex; flex-wrap: wrap; gap: 0 0.75rem; }
.exchange .answer::before { content: "→"; margin-inline-end: 0.5rem; color: var(--muted); }
.exchange .error { font-weight: 650; }
table { inline-size: 100%; margin-block: 0 1.25rem; border-collapse: collapse; }
caption { padding-block: 0.5rem; text-align: start; color: var(--muted); font-size: 0.875rem; font-weight: 600; }
th, td { padding: 0.5rem 0; border-block-start: 1px solid var(--edge); text-align: start; vertical-align: top; font-weight: 400; }
th { inline-size: 22rem; padding-inline-end: 1.25rem; }
th code { font-weight: 650; }
th small, td small { display: block; }
.value { white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin-block: 0.25rem 0; }
summary { inline-size: fit-content; padding-block: 0.25rem; color: var(--accent); font-size: 0.9375rem; cursor: pointer; border-radius: 0.25rem; }
.raw { display: block; margin-block-start: 0.5rem; padding: 0.875rem 1rem; border-radius: 0.625rem; background: var(--sunken); user-select: all; }
.facts { display: grid; grid-template-columns: auto 1fr; gap: 0.375rem 1.25rem; margin: 0 0 1.25rem; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; }
.facts .value { font-weight: 600; }
.notice .facts { margin-block-end: 0; }
@media (max-width: 40rem) {
  .card { padding: 1.25rem; }
  th, td { display: block; inline-size: auto; padding-inline: 0; }
  td { padding-block-start: 0; border-block-start: 0; }
  th { padding-block-end: 0.125rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-block-end: 0.75rem; }
  .buttons > *, .buttons button { inline-size: 100%; }
}
@media (prefers-reduced-motion: reduce) { button, .button { transition: none; } }
@media (forced-colors: active) { .state, .generations li { border: 1px solid; } :focus-visible { outline-color: Highlight; } }
`;
