import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomToken } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds, testDatabase } from '../database.ts';
import { limen } from './terminal.ts';

const guide = readFileSync(join(import.meta.dir, '../../docs/guides/mcp.md'), 'utf8');
const commands = guide.split('\n').filter((line) => line.startsWith('limen '));

const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);

test(
  'docs/guides/mcp.md: each command is taken, in the order of the page',
  async () => {
    const { url, drop } = await testDatabase();
    const environment = { DATABASE_URL: url, LIMEN_SECRETS: randomToken(), LIMEN_PUBLIC_URL: 'https://id.example.com' };
    expect((await limen(['realm', 'create', 'main', '--name', 'Main'], environment)).code).toBe(0);
    expect(commands).toHaveLength(9);
    for (const line of commands) {
      const ran = await limen(wordsOf(line), environment);
      expect({ line, code: ran.code, err: ran.err }).toEqual({ line, code: 0, err: '' });
    }
    const shown = await limen(['realm', 'show', 'main', '--json'], environment);
    expect(JSON.parse(shown.out).settings).toMatchObject({
      registrationResources: { value: 'https://mcp.example.com/mcp' },
      registrationScopes: { value: 'notes.read notes.write offline_access' },
      clientIdMetadataHosts: { value: '!agent.example.com' },
      localhostAnyPort: { value: true },
    });
    await drop();
  },
  databaseTimeoutMilliseconds,
);
