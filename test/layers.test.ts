import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

interface File {
  /** Path below src, such as `modules/orders/purchase.ts`. */
  path: string;
  text: string;
  /** Files below src that it imports, types too. */
  files: string[];
  /** Packages that it imports. */
  packages: string[];
}

const source = join(import.meta.dirname, '../src');
/** Pages for the browser are worlds of their own. */
const isOfBrowser = (path: string) => /^(client|live|playground)\/|\/client\//.test(path);

const files: File[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !isOfBrowser(path))
  .map((path) => {
    const text = readFileSync(join(source, path), 'utf8');
    const imported = [...text.matchAll(/(?:\bfrom|^import|\bimport\()\s*'([^']+)'/gm)].map(
      ([, name]) => name as string,
    );
    return {
      path,
      text,
      files: imported
        .filter((name) => name.startsWith('.'))
        .map((name) => relative(source, join(source, dirname(path), name)).replace(/\.js$/, '.ts')),
      packages: imported.filter((name) => !name.startsWith('.')),
    };
  });
const byPath = new Map(files.map((file) => [file.path, file]));
const find = (pattern: RegExp) => files.filter((file) => pattern.test(file.path));

/** Arrows that may not be, as they are printed: `from -> to`. */
const arrows = (from: File[], isForbidden: (to: string, file: File) => boolean, allowed: Record<string, string> = {}) =>
  from.flatMap((file) =>
    [...file.files, ...file.packages]
      .filter((to) => isForbidden(to, file))
      .map((to) => `${file.path} -> ${to}`)
      .filter((arrow) => !Object.hasOwn(allowed, arrow)),
  );
const moduleOf = (path: string) => /^modules\/([^/]+)\//.exec(path)?.[1];

/** Words and nothing else: a file that imports only such files. */
function isVocabulary(path: string): boolean {
  const file = byPath.get(path);
  return file !== undefined && file.packages.length === 0 && file.files.every(isVocabulary);
}

/** Use cases and what they are made of: the business, that knows nothing of how it is reached. */
const business = find(/^modules\//).filter(({ path }) => !/\.(type|resolver|read|entity)\.ts$/.test(path));

/** Arrows from the ground floor up, each with its reason. */
const upward: Record<string, string> = {
  'feed/feed-entry.ts -> modules/activity/activity-action.ts': 'the words for actions, a type',
};

describe('the layers', () => {
  test('all of src is looked at, and every import leads somewhere', () => {
    expect(files.length).toBeGreaterThan(100);
    const astray = files.flatMap(({ path, files: imported }) =>
      imported.filter((to) => !existsSync(join(source, to))).map((to) => `${path} -> ${to}`),
    );
    // The migrations are beside src.
    expect(astray.filter((arrow) => !arrow.includes('-> ../migrations/'))).toEqual([]);
  });

  test('only config.ts reads the environment', () => {
    expect(
      find(/./)
        .filter(({ text }) => /process\.env/.test(text))
        .map(({ path }) => path),
    ).toEqual(['config.ts']);
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

  test('a use case gets what it needs: it knows neither the context, nor requests, nor the readers', () => {
    expect(
      arrows(business, (to) =>
        /^(context|server|http|ws|sse|event-stream|streams|schema|apollo|config|fastify|read\/)/.test(to),
      ),
    ).toEqual([]);
  });

  test('an entity knows entities and words', () => {
    const entities = find(/\.entity\.ts$/);
    expect(entities.length).toBeGreaterThan(8);
    expect(
      arrows(entities, (to) => to !== '@mikro-orm/core' && !/\.entity\.ts$/.test(to) && !isVocabulary(to)),
    ).toEqual([]);
  });

  test('a resolver is known to schema.ts alone', () => {
    expect(arrows(files, (to, { path }) => /\.resolver\.ts$/.test(to) && path !== 'schema.ts')).toEqual([]);
  });

  test('a resolver asks the database nothing by itself', () => {
    expect(arrows(find(/\.resolver\.ts$/), (to) => /^(@mikro-orm\/|pg$|orm\.ts)/.test(to))).toEqual([]);
  });

  test('the graph of a module knows other modules by types, entities, reads and use cases', () => {
    const across = arrows(
      find(/^modules\//),
      (to, { path }) => moduleOf(to) !== undefined && moduleOf(to) !== moduleOf(path) && /\.resolver\.ts$/.test(to),
    );
    expect(across).toEqual([]);
  });

  test('what everyone needs lies below the modules', () => {
    const below = find(
      /^(auth|graphql|read|feed)\/|^(config|context|problem|money|ids|global-id|signing|transaction|embedded-lock|create-once)\.ts$/,
    );
    expect(arrows(below, (to) => to.startsWith('modules/'), upward)).toEqual([]);
    expect(
      arrows(below, (to) => /^(server|http|ws|sse|event-stream|streams|schema|apollo|main|routes\/)/.test(to)),
    ).toEqual([]);
  });

  test('an exception that is no longer needed is taken off the list', () => {
    expect(
      Object.keys(upward).filter((arrow) => {
        const [from = '', to = ''] = arrow.split(' -> ');
        return !byPath.get(from)?.files.includes(to);
      }),
    ).toEqual([]);
  });

  test('nothing is imported from the tests, the demo or the import but by their own', () => {
    const own = /^(demo|import)\//;
    const allowed = {
      'main.ts -> demo/load-demo.ts': 'the first start loads the demonstration data',
      'migrate.ts -> demo/load-demo.ts': 'taking tables back first asks whether anything is in them',
      'token.ts -> demo/tenant.ts': 'tenants of the demonstration data follow from their domains',
      'auth/demo-identities.ts -> demo/tenant.ts': 'the same, for the token of a customer',
    };
    expect(
      arrows(files, (to, { path }) => (own.test(to) && !own.test(path)) || to.startsWith('../test'), allowed),
    ).toEqual([]);
  });
});
