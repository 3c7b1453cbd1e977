import { plainRefusal } from './pages/refused.ts';
import { refuse } from './respond.ts';
import { type Application, assets, type Route, routes, type Visit } from './routes.ts';

const formType = 'application/x-www-form-urlencoded';

/** Finds the visitor and the route. Whatever leaves here carries the session cookie if the browser has none yet. */
export function createHandler(application: Application): (request: Request) => Promise<Response> {
  const { page, respond, sessions } = application;
  const ownHost = new URL(page.baseUrl).host;
  return async (request) => {
    const url = URL.parse(request.url);
    if (url === null) return refuse(400, 'malformed request');
    if (request.headers.get('host') !== ownHost) return elsewhere(request, url, page.baseUrl);
    const asset = assets.get(url.pathname);
    if (asset !== undefined) return asset();
    const route = routes.get(url.pathname);
    if (route === undefined) return respond.page(plainRefusal('Not found', 'There is no such page here.'), 404);
    const handler = handlerOf(route, request.method);
    if (handler === undefined) return refuse(405, 'method not allowed', { allow: Object.keys(route).join(', ') });
    const { value: cookie, isNew } = sessions.cookieOf(request);
    const form = request.method === 'POST' ? await readForm(request) : new URLSearchParams();
    if (form === undefined) return refuse(415, `expected ${formType}`);
    if (request.method === 'POST' && !sessions.isFormToken(cookie, form.get('form_token') ?? '')) {
      return respond.page(plainRefusal('Nothing was done', 'The form came from a page that is too old.'), 403);
    }
    const visit: Visit = { application, url, cookie, session: sessions.find(cookie), form };
    const response = await handler(visit);
    if (isNew) response.headers.append('set-cookie', sessions.setCookie(cookie));
    return response;
  };
}

/** Another name of this host has other cookies, so the sign-in would come back to a browser without its session. */
function elsewhere(request: Request, url: URL, baseUrl: string): Response {
  if (request.method !== 'GET') return refuse(421, `this application is at ${baseUrl}`);
  return refuse(302, `this application is at ${baseUrl}`, { location: `${baseUrl}${url.pathname}${url.search}` });
}

const handlerOf = (route: Route, method: string): Route['GET'] =>
  method === 'GET' || method === 'HEAD' || method === 'POST' ? route[method] : undefined;

async function readForm(request: Request): Promise<URLSearchParams | undefined> {
  const [type] = (request.headers.get('content-type') ?? '').split(';');
  return type?.trim().toLowerCase() === formType ? new URLSearchParams(await request.text()) : undefined;
}
