import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findCircle, readSource, type SourceFile, source } from './support/source-tree.js';

/** The rooms of the house, from the top floor down, each with what it is for. A room imports from floors below only. */
const rooms: Record<string, { floor: number; sentence: string }> = {
  'main.ts': { floor: 11, sentence: 'reads the settings, starts, stops on a signal' },
  server: { floor: 10, sentence: 'puts a gateway together and takes it down again' },
  cli: { floor: 10, sentence: 'one file per npm script' },
  transport: { floor: 9, sentence: 'the doors: HTTP, WebSocket, event streams' },
  schema: { floor: 9, sentence: 'builds the executable schema out of the modules' },
  seed: { floor: 9, sentence: 'reference data and demonstration data' },
  modules: { floor: 8, sentence: 'the business, a folder per noun or process' },
  execution: { floor: 8, sentence: 'how a document becomes an answer' },
  context: { floor: 7, sentence: 'what an operation and a use case are handed' },
  feed: { floor: 6, sentence: 'one reader of the log, shared delivery to every subscriber' },
  'activity-log': { floor: 5, sentence: 'the log itself: entries, their order, cursors, exports, seals' },
  jobs: { floor: 6, sentence: 'work that waits for somebody: enqueued, claimed, attempted, settled' },
  cost: { floor: 5, sentence: 'what operations cost, and what users may spend' },
  read: { floor: 4, sentence: 'turns a selection into one statement; knows neither the feed nor any module' },
  'partner-center': { floor: 4, sentence: 'Microsoft Partner Center: its formats, and its service' },
  auth: { floor: 3, sentence: 'tokens, roles, viewers, who may read what' },
  database: { floor: 3, sentence: 'connections, pools, cancelling, replica, locks' },
  graphql: { floor: 2, sentence: 'the building blocks that every module uses: scalars, connections, errors, limits' },
  config: { floor: 2, sentence: 'the settings: the only place that reads the environment' },
  domain: { floor: 1, sentence: 'money, ids, problems, product kinds' },
  lib: { floor: 1, sentence: 'small tools without a domain' },
  web: { floor: 1, sentence: 'the pages: playground and live dashboard' },
  client: { floor: 0, sentence: 'what a front end imports; imports nothing of the server' },
};

/** The floors of the business: processes above nouns. */
const modules: Record<string, number> = {
  mirroring: 6,
  purchasing: 5,
  reconciling: 4,
  cancelling: 5,
  fulfilling: 3,
  jobs: 3,
  support: 3,
  entitlements: 3,
  billing: 3,
  activity: 3,
  orders: 2,
  sales: 2,
  customers: 1,
  catalog: 0,
  access: 0,
};

const LONGEST_FILE = 250;

const everything = readSource();
/** Pages for the browser are worlds of their own. */
const isOfBrowser = (path: string) => /^(client|web)\//.test(path);
const files = everything.filter(({ path }) => !isOfBrowser(path));
const byPath = new Map(files.map((file) => [file.path, file]));
const find = (pattern: RegExp) => files.filter((file) => pattern.test(file.path));
const roomOf = (path: string) => path.split('/')[0] as string;
const moduleOf = (path: string) => /^modules\/([^/]+)\//.exec(path)?.[1];
const isBelowSource = (path: string) => !path.startsWith('..');

/** Arrows that may not be, as they are printed: `from -> to`. */
const arrows = (from: readonly SourceFile[], isForbidden: (to: string, file: SourceFile) => boolean) =>
  from.flatMap((file) =>
    [...file.files, ...file.packages].filter((to) => isForbidden(to, file)).map((to) => `${file.path} -> ${to}`),
  );

/** What leads where, between whatever `nameOf` makes of a path. */
function between(nameOf: (path: string) => string | undefined): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { path, files: imported } of files) {
    const from = nameOf(path);
    if (from === undefined) continue;
    const leads = graph.get(from) ?? new Set();
    graph.set(from, leads);
    for (const to of imported.filter(isBelowSource).map(nameOf)) if (to !== undefined && to !== from) leads.add(to);
  }
  return graph;
}

/** Words and nothing else: a file that imports only such files. */
function isVocabulary(path: string): boolean {
  const file = byPath.get(path);
  return file !== undefined && file.packages.length === 0 && file.files.every(isVocabulary);
}

/** Use cases and what they are made of: the business, that knows nothing of how it is reached. */
const business = find(/^modules\//).filter(({ path }) => !/\.(type|resolver|read|entity)\.ts$/.test(path));

describe('the rooms of the house', () => {
  test('every file is in a room, and every import leads somewhere', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(everything.filter(({ path }) => !Object.hasOwn(rooms, roomOf(path))).map(({ path }) => path)).toEqual([]);
    const astray = files.flatMap(({ path, files: imported }) =>
      imported.filter((to) => !existsSync(join(source, to))).map((to) => `${path} -> ${to}`),
    );
    // The migrations are beside src.
    expect(astray.filter((arrow) => !arrow.includes('-> ../migrations/'))).toEqual([]);
  });

  test('every room has files', () => {
    const lived = new Set(everything.map(({ path }) => roomOf(path)));
    expect(Object.keys(rooms).filter((room) => !lived.has(room))).toEqual([]);
  });

  test('a room imports from floors below only, without an exception', () => {
    const floorOf = (path: string) => rooms[roomOf(path)]?.floor ?? -1;
    const upward = arrows(
      files,
      (to, { path }) => byPath.has(to) && roomOf(to) !== roomOf(path) && floorOf(to) >= floorOf(path),
    );
    expect(upward).toEqual([]);
  });

  test('a module imports from modules below only', () => {
    const known = new Set(find(/^modules\//).map(({ path }) => moduleOf(path)));
    expect([...known].sort()).toEqual(Object.keys(modules).sort());
    const floorOf = (path: string) => modules[moduleOf(path) as string] as number;
    const upward = arrows(
      find(/^modules\//),
      (to, { path }) => moduleOf(to) !== undefined && moduleOf(to) !== moduleOf(path) && floorOf(to) >= floorOf(path),
    );
    expect(upward).toEqual([]);
  });

  test.each([
    ['rooms', roomOf],
    ['folders', (path: string) => path.split('/').slice(0, -1).join('/')],
    ['files', (path: string) => path],
  ] as const)('no circle among %s', (_, nameOf) => {
    expect(findCircle(between(nameOf))).toBeNull();
  });

  test('the client imports nothing of the server', () => {
    const client = everything.filter(({ path }) => path.startsWith('client/'));
    expect(client.length).toBeGreaterThan(5);
    expect(
      arrows(client, (to) => !to.startsWith('client/') && !client.some(({ packages }) => packages.includes(to))),
    ).toEqual([]);
  });

  test(`no file is longer than ${LONGEST_FILE} lines`, () => {
    const lines = (text: string) => text.trimEnd().split('\n').length;
    expect(everything.filter(({ text }) => lines(text) > LONGEST_FILE).map(({ path }) => path)).toEqual([]);
  });

  test('the map in src/README.md lists every room with its sentence, and nothing else', () => {
    const map = readFileSync(join(source, 'README.md'), 'utf8');
    const listed = [...map.matchAll(/^\| (\d+) \| `([^`]+?)\/?` \| (.+?) \|$/gm)].map(([, floor, room, sentence]) => [
      room,
      { floor: Number(floor), sentence },
    ]);
    expect(Object.fromEntries(listed)).toEqual(rooms);
  });
});

describe('what may know what', () => {
  test('only the settings read the environment', () => {
    expect(
      find(/./)
        .filter(({ text }) => /process\.env/.test(text))
        .map(({ path }) => path),
    ).toEqual(['config/config.ts']);
  });

  test('a use case knows nothing of GraphQL', () => {
    expect(business.length).toBeGreaterThan(25);
    expect(
      arrows(
        business,
        (to) =>
          /^(graphql|type-graphql|@apollo\/|@graphql-tools\/|graphql\/)/.test(to) || /\.(type|resolver)\.ts$/.test(to),
      ),
    ).toEqual([]);
  });

  test('a use case gets what it needs: it knows neither the context of an operation, nor settings, nor readers', () => {
    expect(arrows(business, (to) => /^(context\/context\.ts|config\/|execution\/|fastify|read\/)/.test(to))).toEqual(
      [],
    );
  });

  test('an entity knows entities and words', () => {
    const entities = find(/\.entity\.ts$/);
    expect(entities.length).toBeGreaterThan(8);
    expect(
      arrows(entities, (to) => to !== '@mikro-orm/core' && !/\.entity\.ts$/.test(to) && !isVocabulary(to)),
    ).toEqual([]);
  });

  test('a resolver is known to the schema alone', () => {
    expect(arrows(files, (to, { path }) => /\.resolver\.ts$/.test(to) && path !== 'schema/build-schema.ts')).toEqual(
      [],
    );
  });

  test('a resolver asks the database nothing by itself', () => {
    expect(arrows(find(/\.resolver\.ts$/), (to) => /^(@mikro-orm\/|pg$|database\/)/.test(to))).toEqual([]);
  });

  test('nothing is imported from the tests', () => {
    expect(arrows(everything, (to) => /^(\.\.\/)+(test|bench)\//.test(to))).toEqual([]);
  });
});
