import type { Visit } from './browser.ts';
import type { Environment } from './environment.ts';
import { must } from './verdict.ts';

/** What a module says about what the person had to do. */

export function mustAskNothing({ screens }: Visit): void {
  must(screens.length === 0, `the person was asked: ${screens.join(', ')}`);
}

export function mustAuthenticate({ screens }: Visit): void {
  must(screens.includes('password'), 'the person did not have to sign in');
}

/** An error page of the provider, which the suite wants to see as a screenshot. */
export function reviewErrorPage(environment: Environment, { end }: Visit, what: string): void {
  must(end.kind === 'page', 'the browser was redirected instead of shown an error page');
  must(end.status >= 400 && end.status < 500, `the error page has status ${end.status}`);
  must(end.html.includes('id="error"'), 'the page is not the error page');
  environment.review(what);
}
