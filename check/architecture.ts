/**
 * The rules of docs/ARCHITECTURE.md as data, and `violations`, which finds what breaks them in a set of sources.
 * `test/architecture.test.ts` applies it to `src/` and proves with planted violations that it finds them.
 */

import { markdownTable } from './markdown.ts';

export type Room = {
  readonly name: string;
  /** A folder (`core/`) or a file (`app.ts`) below `src/`. */
  readonly places: readonly string[];
  /** Rooms whose values it may import; `everything` leaves out only `main` and what names `importedBy`. */
  readonly values: readonly string[] | 'everything';
  /** Rooms of which it may import types only. */
  readonly types: readonly string[];
  readonly packages: readonly string[];
  /** Node modules it may import; absent: any but those with an owner. */
  readonly builtins?: readonly string[];
  /** The only rooms that may import it; absent: whoever lists it. */
  readonly importedBy?: readonly string[];
  readonly owns: string;
};

const typebox = '@sinclair/typebox';

export const rooms: readonly Room[] = [
  {
    name: 'core',
    places: ['core/'],
    values: [],
    types: [],
    packages: [typebox],
    builtins: ['node:crypto', 'node:net', 'node:util'],
    owns: 'clock, randomness, hashing',
  },
  {
    name: 'oidc',
    places: ['oidc/'],
    values: ['core'],
    types: [],
    packages: [typebox, 'jose'],
    builtins: ['node:net', 'node:util'],
    owns: 'protocol rules',
  },
  {
    name: 'flow',
    places: ['flow/'],
    values: ['core'],
    types: [],
    packages: [typebox],
    builtins: ['node:net', 'node:util'],
    owns: 'the node graph',
  },
  {
    name: 'store',
    places: ['store/'],
    values: ['core'],
    types: ['oidc', 'flow'],
    packages: ['drizzle-orm', 'postgres', 'jose', 'lru-cache', typebox],
    owns: 'drizzle-orm, postgres, signing keys',
  },
  {
    name: 'endpoints',
    places: ['endpoints/'],
    values: ['core', 'oidc', 'flow'],
    types: ['login'],
    packages: ['elysia', 'jose', typebox],
    owns: 'elysia; `interaction` alone takes both oidc and flow',
  },
  {
    name: 'login',
    places: ['login/'],
    values: ['core', 'oidc', 'flow'],
    types: [],
    packages: ['elysia', typebox],
    owns: 'elysia, pages',
  },
  {
    name: 'admin',
    places: ['admin/'],
    values: ['core', 'oidc', 'flow'],
    types: [],
    packages: ['elysia', typebox],
    owns: 'elysia, JSON API',
  },
  {
    name: 'workers',
    places: ['workers/'],
    values: ['core'],
    types: ['oidc', 'flow'],
    packages: ['lru-cache'],
    owns: 'timers, child processes, outbound HTTP',
  },
  {
    name: 'console',
    places: ['console/'],
    values: [],
    types: ['admin'],
    packages: [],
    builtins: [],
    owns: 'the browser',
  },
  {
    name: 'config',
    places: ['config.ts', 'config/'],
    values: ['core'],
    types: [],
    packages: [typebox],
    importedBy: ['app', 'cli', 'demo', 'main'],
    owns: 'the environment',
  },
  {
    name: 'demo',
    places: ['demo/'],
    values: 'everything',
    types: [],
    packages: ['openid-client', 'jose', 'lru-cache'],
    importedBy: ['cli', 'main'],
    owns: 'embedded Postgres, fixtures, the demo relying party, openid-client',
  },
  {
    name: 'cli',
    places: ['cli/'],
    values: 'everything',
    types: [],
    packages: [typebox],
    importedBy: ['main'],
    owns: 'commands, the terminal',
  },
  {
    name: 'app',
    places: ['app.ts', 'app_admin.ts', 'app_outbound.ts', 'server.ts', 'serve.ts'],
    values: 'everything',
    types: [],
    packages: ['elysia', 'lru-cache'],
    importedBy: ['main', 'demo', 'cli'],
    owns: 'composition, listening',
  },
  {
    name: 'main',
    places: ['main.ts'],
    values: 'everything',
    types: [],
    packages: [],
    importedBy: [],
    owns: 'the process, signals',
  },
];

/** What only some places may do. Looked for in the program text without comments and types. */
export type OwnedWord = { readonly what: string; readonly pattern: RegExp; readonly places: readonly string[] };

export const ownedWords: readonly OwnedWord[] = [
  {
    what: 'the process clock',
    pattern: /\bDate\.now\b|\bnew Date\b(?!\([^)])|[^.\w]Date\(\)/,
    places: ['core/time.ts'],
  },
  { what: 'the environment', pattern: /\b(process|Bun|import\.meta)\.env\b/, places: ['config.ts'] },
  {
    what: 'randomness and hashing',
    pattern:
      /\bMath\.random\b|\bcrypto\.(getRandomValues|randomUUID|subtle)\b|\bBun\.(hash|CryptoHasher|randomUUIDv\d|sha)\b/,
    places: ['core/'],
  },
  { what: 'listening', pattern: /\bBun\.(serve|listen)\b|\.listen\(/, places: ['server.ts', 'demo/'] },
  { what: 'signals', pattern: /\bprocess\.(on|once)\(["'`]SIG/, places: ['app.ts', 'main.ts', 'demo/'] },
  { what: 'recurring timers', pattern: /\bsetInterval\(/, places: ['workers/', 'app.ts', 'demo/'] },
  { what: 'outbound HTTP', pattern: /(^|[^.\w])fetch\(/m, places: ['workers/', 'demo/', 'cli/'] },
];

/** Modules that only these places may import, beside what the room's row says. */
export const ownedModules: readonly { readonly module: string; readonly places: readonly string[] }[] = [
  { module: 'node:crypto', places: ['core/', 'store/signer.ts'] },
];

export const longestFileLines = 400;

export type Violation = { readonly file: string; readonly rule: string };

/** `sources`: path below `src/` (`oidc/client.ts`) → text. */
export function violations(sources: ReadonlyMap<string, string>): readonly Violation[] {
  const found = [...sources].flatMap(([file, source]) => violationsOf(file, source));
  return [...found, ...cycles(sources)];
}

function violationsOf(file: string, source: string): readonly Violation[] {
  const room = roomOf(file);
  if (room === undefined) return [{ file, rule: 'is in no room; add one to check/architecture.ts' }];
  const imports = importsOf(file, source);
  const program = transpiler.transformSync(source);
  const rules = [
    ...imports.flatMap((imported) => faultsOfImport(file, room, imported)),
    ...faultsOfBridge(file, room, imports),
    ...ownedWords
      .filter(({ pattern, places }) => pattern.test(program) && !isAt(file, places))
      .map(({ what, places }) => `only ${places.join(', ')} may use ${what}`),
    ...(/^(export )?(let|var) /m.test(program) ? ['has module-level state that changes'] : []),
    ...(source.split('\n').length > longestFileLines ? [`is longer than ${longestFileLines} lines`] : []),
  ];
  return rules.map((rule) => ({ file, rule }));
}

type Import = { readonly specifier: string; readonly kind: 'value' | 'type' };

const transpiler = new Bun.Transpiler({ loader: 'ts', target: 'bun' });

const importPattern = /\b(?:from|import)\s*\(?\s*["']([@.\w][^"'\s,]*)["']/g;

/** All that a file imports. `scanImports` forgets imports of types, so those are what the text has beyond it. */
function importsOf(file: string, source: string): readonly Import[] {
  const values = new Set(transpiler.scanImports(source).map((found) => found.path));
  const withoutComments = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const written = new Set([...withoutComments.matchAll(importPattern)].map(([, specifier = '']) => specifier));
  return [...new Set([...values, ...written])].map((specifier) => ({
    specifier: specifier.startsWith('.') ? resolve(file, specifier) : specifier,
    kind: values.has(specifier) ? 'value' : 'type',
  }));
}

/** The path below `src/` (or above it, with `../`) of a relative import, marked by a leading slash. */
function resolve(file: string, specifier: string): string {
  const { pathname } = new URL(specifier, `file:///project/src/${file}`);
  return pathname.startsWith('/project/src/') ? `/${pathname.slice('/project/src/'.length)}` : `/..${pathname}`;
}

function faultsOfImport(file: string, room: Room, { specifier, kind }: Import): readonly string[] {
  if (!specifier.startsWith('/')) return faultsOfModule(file, room, specifier);
  const target = roomOf(specifier.slice(1));
  if (target === undefined) {
    // Migrations, package.json and the like are text to the program.
    return specifier.endsWith('.ts') ? [`imports ${specifier.slice(1)}, which is in no room`] : [];
  }
  if (target.name === room.name) return [];
  const allowed =
    target.importedBy?.includes(room.name) ??
    (room.values === 'everything' ||
      room.values.includes(target.name) ||
      (kind === 'type' && room.types.includes(target.name)));
  return allowed ? [] : [`${room.name} may not import ${kind === 'type' ? 'types of ' : ''}${target.name}`];
}

function faultsOfModule(file: string, room: Room, specifier: string): readonly string[] {
  const owner = ownedModules.find(({ module }) => module === specifier);
  if (owner !== undefined && !isAt(file, owner.places))
    return [`only ${owner.places.join(', ')} may import ${specifier}`];
  if (specifier.startsWith('node:') || specifier === 'bun') {
    return owner === undefined && room.builtins?.includes(specifier) === false
      ? [`${room.name} may not import ${specifier}`]
      : [];
  }
  const known = room.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return known ? [] : [`${room.name} may not import ${specifier}`];
}

const bridge = ['endpoints/interaction.ts', 'endpoints/interaction/'];

/** Protocol and flow meet in one place of the edge only. */
function faultsOfBridge(file: string, room: Room, imports: readonly Import[]): readonly string[] {
  if (!['endpoints', 'login', 'admin'].includes(room.name) || isAt(file, bridge)) return [];
  const takes = (name: string): boolean => imports.some(({ specifier }) => specifier.startsWith(`/${name}/`));
  return takes('oidc') && takes('flow') ? [`only ${bridge.join(', ')} may import both oidc and flow`] : [];
}

const isAt = (file: string, places: readonly string[]): boolean =>
  places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place));

const roomOf = (file: string): Room | undefined => rooms.find((room) => isAt(file, room.places));

/** Files that import each other's values in a circle: their order of evaluation is anybody's guess. */
function cycles(sources: ReadonlyMap<string, string>): readonly Violation[] {
  const edges = new Map(
    [...sources].map(([file, source]) => [
      file,
      importsOf(file, source).flatMap(({ specifier, kind }) => (kind === 'value' ? [specifier.slice(1)] : [])),
    ]),
  );
  const done = new Set<string>();
  const found: Violation[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) {
      found.push({ file, rule: `imports itself: ${[...path.slice(start), file].join(' → ')}` });
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return found;
}

/** The import table as docs/ARCHITECTURE.md shows it. */
export function importTable(): string {
  const cell = (room: Room): string => {
    if (room.values === 'everything') return 'everything';
    const parts = [...room.values, ...room.types.map((name) => `types of ${name}`)];
    return parts.length === 0 ? 'nothing' : parts.join(', ');
  };
  return markdownTable(
    ['room', 'may import', 'packages', 'imported only by', 'owns'],
    rooms.map((room) => [
      room.name,
      cell(room),
      room.packages.join(', ') || '–',
      room.importedBy?.join(', ') || '–',
      room.owns,
    ]),
  );
}
