import { actions } from './actions.ts';
import { adminPath } from './caller.ts';
import { adminRoutes } from './routes.ts';

/** OpenAPI 3.1 of the routes, derived from their rows. */
export function openApiDocument(publicUrl: string) {
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const { method, path, needs, summary, body } of adminRoutes) {
    const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
    const shown = path.replaceAll(/:(\w+)/g, '{$1}');
    paths[shown] = {
      ...paths[shown],
      [method.toLowerCase()]: {
        summary,
        description: `Needs the permission \`${needs}\`: ${actions[needs]}`,
        security: [{ token: [] }],
        parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
        ...(body === undefined
          ? {}
          : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
        responses: {
          200: { description: 'Done.', content: { 'application/json': { schema: { type: 'object' } } } },
          default: { $ref: '#/components/responses/refused' },
        },
      },
    };
  }
  const refused = {
    type: 'object',
    required: ['error', 'error_description', 'error_id'],
    properties: {
      error: { type: 'string' },
      error_description: { type: 'string' },
      error_id: { type: 'string' },
      faults: { type: 'array', items: { type: 'string' } },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Limen admin API', version: '1' },
    servers: [{ url: publicUrl + adminPath }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'at+jwt' } },
      responses: {
        refused: { description: 'Refused or failed.', content: { 'application/json': { schema: refused } } },
      },
    },
  };
}
