import { createContext, runInContext } from 'node:vm';
import type { Shown } from '../../user_agent.ts';

const deadlineMilliseconds = 5000;

/**
 * Loads a page as a frame would, with as much of a browser as the page of `check_session_iframe` uses, and gives its answer
 * to a message from the page around it. Whether a real browser frames it at all is asked in `test/e2e/`.
 */
export async function runFrame(
  { html, headers }: Pick<Shown, 'html' | 'headers'>,
  { cookie, origin, message }: { readonly cookie: string; readonly origin: string; readonly message: string },
): Promise<unknown> {
  const barred = headers.get('x-frame-options') ?? /frame-ancestors (?!\*)[^;]*/.exec(csp(headers))?.[0];
  if (barred !== undefined && barred !== null) throw new Error(`the page cannot be framed: ${barred}`);
  const listeners: ((event: object) => void)[] = [];
  const answered = Promise.withResolvers<unknown>();
  const parent = {
    postMessage: (data: unknown, target: string): void => {
      if (target === '*' || target === origin) answered.resolve(data);
    },
  };
  const dataset = Object.fromEntries(
    [...html.matchAll(/ data-([a-z]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const context = createContext({
    window: { crypto, parent },
    document: { cookie, documentElement: { dataset } },
    addEventListener: (_: string, listener: (event: object) => void): void => void listeners.push(listener),
    TextEncoder,
  });
  for (const [, script = ''] of html.matchAll(/<script>([\s\S]*?)<\/script>/g)) runInContext(script, context);
  for (const listener of listeners) listener({ data: message, origin, source: parent });
  return Promise.race([answered.promise, Bun.sleep(deadlineMilliseconds).then(() => 'no answer')]);
}

const csp = (headers: Headers): string => headers.get('content-security-policy') ?? '';
