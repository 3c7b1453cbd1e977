import { defineCommand, jsonOption } from './command.ts';
import { configurationFor } from './configuration.ts';
import { answer } from './output.ts';

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Bring the database schema up to date; running processes go on. Needs DATABASE_URL.',
  options: { json: jsonOption },
  examples: ['limen migrate'],
  run: async (values, deps) => {
    const config = configurationFor(deps, ['databaseUrl']);
    if (config === null) return 2;
    const progress = values.json ? () => {} : deps.terminal.out;
    const migrated = await deps.migrate(config, progress);
    if (!migrated.ok) {
      deps.terminal.err(migrated.error);
      return 1;
    }
    const { applied } = migrated.value;
    const count = applied.length === 1 ? '1 migration' : `${applied.length} migrations`;
    answer(deps.terminal, values.json, migrated.value, applied.length === 0 ? 'Up to date.' : `Applied ${count}.`);
    return 0;
  },
});
