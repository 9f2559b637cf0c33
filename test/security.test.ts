import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { projectFile } from '../src/lib/project-file.js';

const read = (path: string) => readFileSync(projectFile(path), 'utf8');
/** The rows of the tables: what is attacked, and what is said to answer it. */
const rows = [...read('test/security.md').matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)]
  .map(([, line = '', answer = '']) => [line, answer] as const)
  .filter(([line]) => !/^(-+|line|check)$/.test(line));

test('test/security.md has the thirteen checks of graphql-cop, and a line for each attack once', () => {
  const checks = read('test/security.md')
    .split('## graphql-cop')[1]
    ?.match(/^\| [A-Z]/gm);
  expect(checks).toHaveLength(13);
  const lines = rows.map(([line]) => line);
  expect(lines.length).toBeGreaterThan(60);
  expect(lines.filter((line, at) => lines.indexOf(line) !== at)).toEqual([]);
});

test.each(rows)('%s: the test that is named exists, or a reason is given', (_line, answer) => {
  if (/^reason: .{20,}/.test(answer)) return;
  const [, path = '', title = ''] = /^`(test\/[\w/.-]+\.test\.ts)` "(.+)"$/.exec(answer) ?? [];
  expect([answer, existsSync(projectFile(path)) && title !== '' && read(path).includes(title)]).toEqual([answer, true]);
});
