import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { Glob } from 'bun';
import { importTable, longestFileLines, rooms, violations } from '../check/architecture.ts';

const root = new URL('..', import.meta.url).pathname;
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const filesIn = (folder: string): readonly string[] =>
  [...new Glob('**/*.{ts,tsx}').scanSync({ cwd: `${root}${folder}` })].toSorted();
const sources = new Map(filesIn('src').map((file) => [file, read(`src/${file}`)]));

describe('src/', () => {
  test('is read at all', () => {
    expect(sources.size).toBeGreaterThan(20);
  });

  test('breaks no rule', () => {
    expect(violations(sources).map(({ file, rule }) => `src/${file} ${rule}`)).toEqual([]);
  });
});

describe('a planted violation is found', () => {
  const planted: readonly (readonly [file: string, source: string, rule: string])[] = [
    ['core/x.ts', "import { a } from '../oidc/client.ts'; a();", 'core may not import oidc'],
    [
      'core/x.ts',
      "import type { A } from '../oidc/client.ts'; export type B = A;",
      'core may not import types of oidc',
    ],
    ['oidc/a/x.ts', "import { a } from '../../flow/node.ts'; a();", 'oidc may not import flow'],
    ['oidc/x.ts', "import type { A } from '../flow/node.ts'; export type B = A;", 'oidc may not import types of flow'],
    ['flow/x.ts', "export { a } from '../oidc/client.ts';", 'flow may not import oidc'],
    ['flow/x.ts', "export const a = await import('../oidc/client.ts');", 'flow may not import oidc'],
    ['store/x.ts', "import { a } from '../oidc/client.ts'; a();", 'store may not import oidc'],
    [
      'store/x.ts',
      "import type { A } from '../login/index.ts'; export type B = A;",
      'store may not import types of login',
    ],
    ['endpoints/x.ts', "import { a } from '../store/clients.ts'; a();", 'endpoints may not import store'],
    ['login/x.ts', "import { a } from '../endpoints/token.ts'; a();", 'login may not import endpoints'],
    ['workers/x.ts', "import { a } from '../store/clients.ts'; a();", 'workers may not import store'],
    ['workers/x.ts', "import { a } from '../oidc/client.ts'; a();", 'workers may not import oidc'],
    ['console/x.ts', "import { a } from '../admin/index.ts'; a();", 'console may not import admin'],
    [
      'endpoints/x.ts',
      "import type { A } from '../config.ts'; export type B = A;",
      'endpoints may not import types of config',
    ],
    ['config.ts', "import { a } from './store/index.ts'; a();", 'config may not import store'],
    ['endpoints/x.ts', "import { a } from '../app.ts'; a();", 'endpoints may not import app'],
    ['app.ts', "import { a } from './demo/index.ts'; a();", 'app may not import demo'],
    ['demo/x.ts', "import { a } from '../cli/index.ts'; a();", 'demo may not import cli'],
    ['cli/x.ts', "import { a } from '../main.ts'; a();", 'cli may not import main'],
    ['attic/x.ts', 'export const a = 1;', 'is in no room; add one to check/architecture.ts'],
    ['core/x.ts', "import { a } from '../../test/x.ts'; a();", 'imports ../project/test/x.ts, which is in no room'],
    ['oidc/x.ts', "import { Elysia } from 'elysia'; new Elysia();", 'oidc may not import elysia'],
    ['workers/x.ts', "import { Elysia } from 'elysia'; new Elysia();", 'workers may not import elysia'],
    ['endpoints/x.ts', "import { eq } from 'drizzle-orm'; eq();", 'endpoints may not import drizzle-orm'],
    ['cli/x.ts', "import postgres from 'postgres'; postgres();", 'cli may not import postgres'],
    [
      'endpoints/x.ts',
      "import { pgTable } from 'drizzle-orm/pg-core'; pgTable();",
      'endpoints may not import drizzle-orm/pg-core',
    ],
    [
      'endpoints/x.ts',
      "import * as client from 'openid-client'; client.a();",
      'endpoints may not import openid-client',
    ],
    ['flow/x.ts', "import { readFileSync } from 'node:fs'; readFileSync('');", 'flow may not import node:fs'],
    [
      'oidc/x.ts',
      "import { createHash } from 'node:crypto'; createHash('md5');",
      'only core/, store/signer.ts may import node:crypto',
    ],
    ['store/x.ts', "import { sign } from 'node:crypto'; sign();", 'only core/, store/signer.ts may import node:crypto'],
    ['oidc/x.ts', 'export const a = () => Date.now();', 'only core/time.ts may use the process clock'],
    ['core/ids.ts', 'export const a = () => new Date();', 'only core/time.ts may use the process clock'],
    ['app.ts', 'export const a = process.env.PATH;', 'only config.ts may use the environment'],
    ['main.ts', "export const a = Bun.env['PATH'];", 'only config.ts may use the environment'],
    ['store/x.ts', 'export const a = Math.random();', 'only core/ may use randomness and hashing'],
    ['store/x.ts', 'export const a = crypto.randomUUID();', 'only core/ may use randomness and hashing'],
    ['endpoints/x.ts', 'Bun.serve({ fetch: () => new Response() });', 'only server.ts, demo/ may use listening'],
    ['store/x.ts', "process.on('SIGTERM', () => {});", 'only app.ts, main.ts, demo/ may use signals'],
    ['store/x.ts', 'setInterval(() => {}, 1);', 'only workers/, app.ts, demo/ may use recurring timers'],
    ['oidc/x.ts', "export const a = await fetch('https://x');", 'only workers/, demo/, cli/ may use outbound HTTP'],
    ['store/x.ts', 'let count = 0; export const next = () => ++count;', 'has module-level state that changes'],
    [
      'store/x.ts',
      'export const a = 1;\n'
        .repeat(longestFileLines + 1)
        .replaceAll(/const a/g, 'type A')
        .replaceAll(' 1;', ' 1;'),
      `is longer than ${longestFileLines} lines`,
    ],
    [
      'login/x.ts',
      "import type { A } from '../oidc/client.ts'; import type { B } from '../flow/node.ts'; export type C = A | B;",
      'only endpoints/interaction.ts, endpoints/interaction/ may import both oidc and flow',
    ],
  ];

  test.each(planted)('%s: %s', (file, source, rule) => {
    expect(violations(new Map([[file, source]]))).toEqual([{ file, rule }]);
  });

  test('a circle of values', () => {
    const circle = new Map([
      ['core/a.ts', "import { b } from './b.ts'; export const a = () => b;"],
      ['core/b.ts', "import { a } from './a.ts'; export const b = () => a;"],
    ]);
    expect(violations(circle)).toEqual([
      { file: 'core/a.ts', rule: 'imports itself: core/a.ts → core/b.ts → core/a.ts' },
    ]);
  });
});

describe('what the rules allow is not found', () => {
  test.each([
    ['oidc/x.ts', "import { a } from '../core/ids.ts'; import { jwtVerify } from 'jose'; a(jwtVerify);"],
    [
      'store/x.ts',
      "import type { A } from '../oidc/client.ts'; import { eq } from 'drizzle-orm'; export const a = (b: A) => eq(b);",
    ],
    ['store/signer.ts', "import { sign } from 'node:crypto'; sign();"],
    ['endpoints/interaction.ts', "import { a } from '../oidc/client.ts'; import { b } from '../flow/node.ts'; a(b);"],
    ['oidc/x.ts', "export const a = ['from', 'to', 'import', 'x'];"],
    ['cli/x.ts', "import { a } from '../demo/index.ts'; import { b } from '../store/index.ts'; a(b);"],
    ['oidc/x.ts', '// Date.now() is forbidden\n/* import { a } from "../flow/node.ts" */\nexport const a = 1;'],
    ['oidc/x.ts', "export const day = new Date(0); export const a = (b: { fetch(c: string): void }) => b.fetch('x');"],
    ['store/x.ts', "import sql from '../../drizzle/0001_foundation.sql' with { type: 'text' }; export const a = sql;"],
  ])('%s: %s', (file, source) => {
    expect(violations(new Map([[file, source]]))).toEqual([]);
  });
});

describe('test/', () => {
  test('no test is picked out with .only, which would silence the rest', () => {
    const picked = filesIn('test').filter((file) =>
      /\b(test|it|describe)\.only\b/.test(file === 'architecture.test.ts' ? '' : read(`test/${file}`)),
    );
    expect(picked).toEqual([]);
  });
});

describe('documents say what the code says', () => {
  test('docs/ARCHITECTURE.md shows the import table', () => {
    expect(read('docs/ARCHITECTURE.md')).toContain(importTable());
  });

  test('every runtime dependency is argued in docs/decisions/0001, allowed somewhere, and nothing else is', () => {
    const manifest: { dependencies: Record<string, string> } = JSON.parse(read('package.json'));
    const names = Object.keys(manifest.dependencies);
    const argued = [...read('docs/decisions/0001-runtime-dependencies.md').matchAll(/^\| `([^`]+)` +\|/gm)].map(
      ([, name = '']) => name,
    );
    expect(argued.toSorted()).toEqual(names.toSorted());
    expect([...new Set(rooms.flatMap((room) => room.packages))].toSorted()).toEqual(names.toSorted());
  });

  test('decision records are numbered without gaps', () => {
    const records = [...new Glob('*.md').scanSync({ cwd: `${root}docs/decisions` })].toSorted();
    expect(records.map((name) => Number(name.slice(0, 4)))).toEqual(records.map((_, index) => index + 1));
  });
});
