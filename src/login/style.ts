import { sha256 } from '../core/crypto.ts';

/** One sheet for all pages. Lengths are `rem`, so text zoom moves everything; sides are logical, so `dir` does. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f5f5f2; --surface: #ffffff; --edge: #e3e3dd; --text: #1b1d21; --muted: #585c66;
  --field-edge: #80848e; --accent: #27479c; --accent-strong: #1c3680; --on-accent: #ffffff; --accent-soft: #eaeefa;
  --fault: #8c1d18; --fault-soft: #fdf0ee; --fault-edge: #c6382f;
  --shadow: 0 1px 2px rgb(20 22 30 / 4%), 0 12px 32px rgb(20 22 30 / 6%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121316; --surface: #1b1d21; --edge: #2d3036; --text: #eceef1; --muted: #a9adb7;
    --field-edge: #757a85; --accent: #adc2ff; --accent-strong: #c8d6ff; --on-accent: #10183a; --accent-soft: #252c40;
    --fault: #ffb8b0; --fault-soft: #351d1c; --fault-edge: #e5736a;
    --shadow: none;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { font-size: 100%; text-size-adjust: 100%; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-block-size: 100vh; min-block-size: 100dvh; background: var(--ground); color: var(--text);
  font: 400 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; padding: clamp(0rem, 8vh, 6rem) 1rem 3rem;
}
.card {
  inline-size: 100%; max-inline-size: 27rem; margin-inline: auto; padding: 2.25rem 2.5rem 2.5rem;
  background: var(--surface); border: 1px solid var(--edge); border-radius: 1rem; box-shadow: var(--shadow);
}
.realm { display: flex; align-items: center; gap: 0.75rem; margin-block-end: 2.25rem; font-weight: 600; line-height: 1.3; }
.realm > span:last-child { min-inline-size: 0; }
.mark {
  flex: none; display: grid; place-items: center; inline-size: 2.25rem; block-size: 2.25rem; overflow: hidden;
  border-radius: 0.625rem; background: var(--accent); color: var(--on-accent); font-size: 1.125rem; line-height: 1;
}
h1 { margin: 0 0 1.75rem; font-size: 1.625rem; font-weight: 650; line-height: 1.25; letter-spacing: -0.012em; text-wrap: pretty; }
h1 .to { display: block; margin-block-start: 0.375rem; font-size: 1rem; font-weight: 400; line-height: 1.5; letter-spacing: 0; color: var(--muted); }
h1 .to bdi { font-weight: 600; color: var(--text); }
p { margin: 0 0 1.25rem; }
p:last-child { margin-block-end: 0; }
.lead, .muted { color: var(--muted); }
.lead bdi { font-weight: 600; color: var(--text); }
.account { display: flex; align-items: center; gap: 0.625rem; margin-block-end: 1.5rem; color: var(--muted); }
.account > span { min-inline-size: 0; }
.account bdi { font-weight: 600; color: var(--text); }
.account svg { flex: none; inline-size: 1.5rem; block-size: 1.5rem; }
.fault {
  margin-block-end: 1.5rem; padding: 0.875rem 1rem; border-radius: 0.625rem; background: var(--fault-soft); color: var(--fault);
  border-inline-start: 0.25rem solid var(--fault-edge);
}
label { display: block; margin-block-end: 0.5rem; font-weight: 600; }
input {
  display: block; inline-size: 100%; min-block-size: 3rem; padding: 0.5rem 0.875rem; font: inherit; color: var(--text);
  background: var(--surface); border: 1px solid var(--field-edge); border-radius: 0.625rem;
}
input[hidden], input[type="hidden"] { display: none; }
input[aria-invalid="true"] { border-color: var(--fault-edge); }
button, .button {
  display: flex; align-items: center; justify-content: center; inline-size: 100%; min-block-size: 3rem; padding: 0.5rem 1.25rem;
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; border-radius: 0.625rem;
  border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent);
  transition: background-color 120ms ease, border-color 120ms ease;
}
button:hover, .button:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
.secondary { background: transparent; border-color: var(--field-edge); color: var(--text); }
.secondary:hover { background: var(--accent-soft); border-color: var(--field-edge); }
.quiet { margin-block-end: -1rem; background: transparent; border-color: transparent; color: var(--accent); }
.quiet:hover { background: var(--accent-soft); border-color: transparent; }
input + button { margin-block-start: 1.5rem; }
form + form { margin-block-start: 0.75rem; }
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
input:focus-visible { outline-offset: 0; border-color: transparent; }
.choices { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.choices button { flex: 1 1 auto; inline-size: auto; min-inline-size: min(8rem, 100%); max-inline-size: 100%; }
.logo { display: block; inline-size: 4rem; block-size: 4rem; margin-block-end: 1.25rem; object-fit: contain; border-radius: 0.75rem; }
ul { margin: 0 0 1.75rem; padding: 0; list-style: none; border-block: 1px solid var(--edge); }
li { display: flex; gap: 0.75rem; padding-block: 0.75rem; }
li + li { border-block-start: 1px solid var(--edge); }
li svg { flex: none; inline-size: 1.25rem; block-size: 1.25rem; margin-block-start: 0.125rem; color: var(--accent); }
li > span { min-inline-size: 0; }
.links { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-block: 1.5rem 0; font-size: 0.9375rem; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.9375em; }
.reference { margin-block: 0 1.75rem; padding: 0.875rem 1rem; border-radius: 0.625rem; background: var(--ground); }
.reference code { display: block; user-select: all; color: var(--text); }
dl { margin: 0 0 1.75rem; font-size: 0.9375rem; }
dt { color: var(--muted); }
dd { margin: 0 0 0.5rem; }
.user-code { letter-spacing: 0.12em; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
input.user-code { text-transform: uppercase; }
p.user-code { padding: 0.75rem 1rem; border-radius: 0.625rem; background: var(--ground); font-size: 1.5rem; font-weight: 650; text-align: center; }
.warning { padding: 0.875rem 1rem; border-radius: 0.625rem; background: var(--fault-soft); color: var(--fault); border-inline-start: 0.25rem solid var(--fault-edge); }
section > .button { margin-block-start: 1.75rem; }
.wide { max-inline-size: 46rem; }
.wide section { margin-block-start: 2.5rem; }
.status { padding: 0.875rem 1rem; border-radius: 0.625rem; background: var(--accent-soft); font-weight: 600; }
.status:empty { display: none; }
h2 { margin: 0 0 1rem; font-size: 1.25rem; font-weight: 650; line-height: 1.3; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; line-height: 1.5; }
.this { font-weight: 400; color: var(--muted); }
.entries li { flex-wrap: wrap; align-items: center; justify-content: space-between; padding-block: 1rem; }
.entries li > div { flex: 1 1 16rem; min-inline-size: 0; }
.entries p { margin: 0; font-size: 0.9375rem; color: var(--muted); }
.wide input + button { margin-block-start: 0; }
.entries form, .entries .button { flex: none; inline-size: auto; max-inline-size: 100%; }
.wide .button { background: transparent; color: var(--text); border-color: var(--field-edge); }
.wide .button:hover { background: var(--accent-soft); }
.choices form { flex: 1 1 auto; margin: 0; max-inline-size: 100%; }
.choices form button { inline-size: 100%; }
@media (max-width: 30rem) {
  body { padding: 0; background: var(--surface); }
  .card { max-inline-size: none; padding: 1.5rem 1.25rem 2.5rem; border: 0; border-radius: 0; box-shadow: none; }
}
@media (prefers-reduced-motion: reduce) { button, .button { transition: none; } }
@media (forced-colors: active) { .mark { border: 1px solid; } :focus-visible { outline-color: Highlight; } }
`;

/** A source for `Content-Security-Policy`, quotes included. */
export const hashSource = (text: string): string => `'sha256-${sha256(text).toString('base64')}'`;

/** What lets the style of every page through. */
export const styleHash = hashSource(style);
