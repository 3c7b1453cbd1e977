import { randomToken } from '../../core/crypto.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { answer } from '../output.ts';

export const secretsGenerate = defineCommand({
  name: 'secrets generate',
  summary: 'Make a 256-bit master secret for LIMEN_SECRETS.',
  options: { json: jsonOption },
  examples: ['export LIMEN_SECRETS="$(limen secrets generate)"'],
  run: async (values, { terminal }) => {
    const secret = randomToken();
    answer(terminal, values.json, { secret }, secret);
    return 0;
  },
});
