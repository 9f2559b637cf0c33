import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A file below src with what it imports, types too. */
export interface SourceFile {
  /** Path below src, such as `modules/orders/purchase.ts`. */
  path: string;
  text: string;
  /** Files below src that it imports. */
  files: string[];
  /** Packages that it imports. */
  packages: string[];
}

export const source = join(import.meta.dirname, '../../src');

/** Every TypeScript file below src. */
export function readSource(): SourceFile[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|tsx|mjs)$/.test(path))
    .sort()
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
}

/** A way along arrows that leads back to where it began, or null where there is none. */
export function findCircle(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[] | null {
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): string[] | null => {
    if (finished.has(node)) return null;
    const begin = path.indexOf(node);
    if (begin >= 0) return [...path.slice(begin), node];
    path.push(node);
    for (const next of arrows.get(node) ?? []) {
      const circle = visit(next);
      if (circle) return circle;
    }
    path.pop();
    finished.add(node);
    return null;
  };
  for (const node of arrows.keys()) {
    const circle = visit(node);
    if (circle) return circle;
  }
  return null;
}
