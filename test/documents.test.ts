import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { settingNames } from '../src/config/settings.js';

const root = join(import.meta.dirname, '..');
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/operating.md',
  'docs/clients.md',
  'docs/access.md',
  'docs/reconciliation.md',
  'docs/partner-center.md',
  'bench/README.md',
  'schema/CHANGELOG.md',
  'src/README.md',
  'src/activity-log/README.md',
  'src/feed/README.md',
  'src/modules/RULES.md',
  'src/read/README.md',
].filter((path) => existsSync(join(root, path)));
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');

/** Files and folders that a document names in backticks: with a folder, and from the root, src or its own folder. */
function namedIn(path: string): string[] {
  const names = [...textOf(path).matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, name]) => name as string);
  return names.filter(
    (name) => /\/$|\.(ts|mjs|json|md|csv|graphql|png|yaml)$/.test(name) && !/^(dist|node_modules|\.data)\//.test(name),
  );
}

describe('the documents', () => {
  test('src/README.md maps every folder of src, and nothing else', () => {
    const folders = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${relative(join(root, 'src'), join(entry.parentPath, entry.name))}/`);
    const mapped = [...textOf('src/README.md').matchAll(/^\| (?:\d+ \| )?`([\w/-]+\/)` \|/gm)].map(
      ([, folder]) => folder,
    );
    expect(mapped.toSorted()).toEqual(folders.toSorted());
  });

  test.each(documents)('%s names files that there are', (path) => {
    const missing = namedIn(path).filter(
      (name) => ![root, join(root, 'src'), join(root, dirname(path))].some((folder) => existsSync(join(folder, name))),
    );
    expect(missing).toEqual([]);
  });

  test.each(documents)('%s links to what there is', (path) => {
    const targets = [...textOf(path).matchAll(/\]\((?!https?:)([^)#]+)(?:#[\w-]+)?\)/g)].map(
      ([, target]) => target as string,
    );
    expect(targets.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
  });

  test.each(documents)('%s speaks of nothing outside the repository', (path) => {
    expect(
      textOf(path).match(/\b(product|domain|features|style|performance|house|seed\.it)\.md\b|\bissue \d+/g),
    ).toBeNull();
  });

  test('docs/operating.md has every setting, and no other', () => {
    expect(settingNames.length).toBeGreaterThan(25);
    const table = textOf('docs/operating.md').split('## Settings')[1]?.split('\n## ')[0] ?? '';
    const rows = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(
      ([, names]) => (names as string).match(/[A-Z][A-Z_]+/g) ?? [],
    );
    expect(rows.toSorted()).toEqual(settingNames.toSorted());
  });

  test.each(documents)('%s names metrics that there are', (path) => {
    const folder = 'src/transport/http/metrics';
    const metrics = readdirSync(join(root, folder))
      .map((file) => textOf(`${folder}/${file}`))
      .join('');
    const named = textOf(path).match(/\bcsp_graph_[a-z_]+/g) ?? [];
    expect(named.filter((name) => !metrics.includes(`'${name}'`))).toEqual([]);
  });
});
