import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = normalize(join(import.meta.dirname, '..'));
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.includes('client/'))
  .map((file) => join('src', file));

/** What a file imports: packages by name, own files by path. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)[^;]*?from '([^']+)'|import\('([^']+)'\)/gms)].map(
    ([, from, dynamic]) => {
      const target = (from ?? dynamic) as string;
      return target.startsWith('.')
        ? relative(root, join(root, dirname(file), target)).replace(/\.js$/, '.ts')
        : target;
    },
  );
}

const arrows = files.flatMap((from) => importsOf(from).map((to) => ({ from, to })));
const forbidden = (isForbidden: (from: string, to: string) => boolean) =>
  arrows.filter(({ from, to }) => isForbidden(from, to)).map(({ from, to }) => `${from} -> ${to}`);

const isResolver = (file: string) => file.endsWith('.resolver.ts');
const moduleOf = (file: string) => /^src\/modules\/([^/]+)\//.exec(file)?.[1];
/** Files of a module that hold the business: entities, use cases, vocabulary. */
const isBusiness = (file: string) =>
  moduleOf(file) !== undefined && !/(\.type|\.resolver|\.read)\.ts$/.test(file) && !file.endsWith('compiled.ts');
const knowsGraphql = (target: string) =>
  /^(graphql|type-graphql|graphql-ws|@apollo\/|@as-integrations\/|@graphql-tools\/)/.test(target) ||
  target.startsWith('src/graphql/');

describe('who may import whom (style.md 3.2)', () => {
  test('there are imports to judge', () => {
    expect(arrows.length).toBeGreaterThan(300);
  });

  test('only config.ts reads the environment', () => {
    const readers = files.filter((file) => /process\.env/.test(readFileSync(join(root, file), 'utf8')));
    expect(readers).toEqual(['src/config.ts']);
  });

  test('use cases and entities know nothing of GraphQL', () => {
    expect(forbidden((from, to) => isBusiness(from) && knowsGraphql(to))).toEqual([]);
  });

  test('entities import entities and vocabulary of modules only', () => {
    expect(
      forbidden(
        (from, to) => from.endsWith('.entity.ts') && to !== '@mikro-orm/core' && !(moduleOf(to) && isBusiness(to)),
      ),
    ).toEqual([]);
  });

  test('resolvers are known to the schema only: modules meet in entities and use cases', () => {
    expect(forbidden((from, to) => isResolver(to) && from !== 'src/schema.ts')).toEqual([]);
  });

  test('the business does not reach up: no resolver, GraphQL type, read or route', () => {
    expect(
      forbidden((from, to) => isBusiness(from) && /(\.type|\.resolver|\.read)\.ts$|^src\/routes\//.test(to)),
    ).toEqual([]);
  });

  test('what everyone needs lies below the modules', () => {
    const below = /^src\/((auth|graphql|read)\/|(problem|ids|money|global-id|signing)\.ts$)/;
    expect(forbidden((from, to) => below.test(from) && moduleOf(to) !== undefined)).toEqual([]);
  });

  test('nothing imports the entry points', () => {
    const entries = [
      'src/main.ts',
      'src/token.ts',
      'src/migrate.ts',
      'src/check-current.ts',
      'src/create-migration.ts',
    ];
    expect(forbidden((_from, to) => entries.includes(to))).toEqual([]);
  });

  test('no file is longer than 250 lines', () => {
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 251);
    expect(long).toEqual([]);
  });
});
