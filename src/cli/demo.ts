import { defineCommand } from './command.ts';

export const demo = defineCommand({
  name: 'demo',
  summary: 'Try it: an embedded Postgres, sample users and clients, and an application to sign in to.',
  options: {
    port: { type: 'text', value: '<port>', sentence: 'Port of the provider (4010).' },
    'rp-port': { type: 'text', value: '<port>', sentence: 'Port of the application (4020).' },
    'data-dir': { type: 'text', value: '<folder>', sentence: 'Where the database and demo.json are kept (.limen).' },
  },
  examples: ['limen demo', 'limen demo --port 5010 --rp-port 5020 --data-dir /tmp/limen'],
  run: async (values, deps) => {
    const port = readPort(values.port, 4010);
    const relyingPartyPort = readPort(values['rp-port'], 4020);
    if (port === null || relyingPartyPort === null) {
      deps.terminal.err('--port and --rp-port are whole numbers from 1 to 65535');
      return 2;
    }
    if (port === relyingPartyPort) {
      deps.terminal.err('--port and --rp-port must differ');
      return 2;
    }
    return await deps.demo({ port, relyingPartyPort, dataFolder: values['data-dir'] ?? '.limen' });
  },
});

function readPort(typed: string | undefined, fallback: number): number | null {
  if (typed === undefined) return fallback;
  const port = /^\d{1,5}$/.test(typed) ? Number(typed) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}
