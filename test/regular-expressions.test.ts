import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Literal, parse } from 'acorn';
import { full } from 'acorn-walk';
import { check } from 'recheck';

const compiled = join(import.meta.dirname, '../dist/src');

/** Files whose expressions are given short texts alone: cells of at most 255 characters, names of at most 2,000. */
const OF_SHORT_TEXTS = new Set(['activity-log/export-format.js', 'modules/support/judge-file.js']);

/** What the checker does not know, and why it is none: each run of letters is tried once, as nothing may stand before it. */
const LINEAR = new Set(['graphql/echoes.js']);

/** The regular expressions of the compiled sources, each with the file it stands in. */
function expressions(): [expression: string, file: string][] {
  const found: [string, string][] = [];
  for (const file of readdirSync(compiled, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js') || OF_SHORT_TEXTS.has(file) || LINEAR.has(file)) continue;
    full(parse(readFileSync(join(compiled, file), 'utf8'), { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
      const { regex } = node as Literal;
      if (node.type === 'Literal' && regex) found.push([`/${regex.pattern}/${regex.flags}`, file]);
    });
  }
  return found;
}

describe('regular expressions', () => {
  // A checker that explores how each can be matched, not a stopwatch.
  test('take no longer than in proportion to a text, whatever it is: one message stops nobody', async () => {
    const found = expressions();
    expect(found.length).toBeGreaterThan(100);
    const slow: string[] = [];
    for (const [expression, file] of found) {
      const at = expression.lastIndexOf('/');
      const { status } = await check(expression.slice(1, at), expression.slice(at + 1));
      if (status !== 'safe') slow.push(`${file}: ${expression}: ${status}`);
    }
    expect(slow).toEqual([]);
  });
});
