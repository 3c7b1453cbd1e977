/**
 * The pages that people see: page = f(screen, copy), rendered here and nowhere else, without JavaScript, in one visual
 * language. No routes: `endpoints/` answers requests and asks `renderPage` for the document and its Content-Security-Policy.
 * Must not know the protocol, the database, or how a screen came about.
 */
export { locales } from './copy/index.ts';
export { type Page, type RenderPage, renderPage } from './render.ts';
