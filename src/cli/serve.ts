import { defineCommand } from './command.ts';
import { configurationFor } from './configuration.ts';

export const serve = defineCommand({
  name: 'serve',
  summary: 'Serve sign-ins and tokens. Needs DATABASE_URL, LIMEN_SECRETS and LIMEN_PUBLIC_URL.',
  options: {},
  examples: ['LIMEN_PUBLIC_URL=https://id.example.com limen serve'],
  run: async (_, deps) => {
    const config = configurationFor(deps, ['databaseUrl', 'secrets', 'publicUrl']);
    return config === null ? 2 : await deps.serve(config);
  },
});
