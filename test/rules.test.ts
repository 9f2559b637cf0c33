import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** A rule of src/modules/RULES.md with the tests that it names. */
interface Rule {
  number: number;
  sentence: string;
  proofs: { file: string; title: string }[];
}

const root = join(import.meta.dirname, '..');

function readRules(): Rule[] {
  const rules: Rule[] = [];
  for (const line of readFileSync(join(root, 'src/modules/RULES.md'), 'utf8').split('\n')) {
    const [, number, sentence] = /^(\d+)\. (.+)$/.exec(line) ?? [];
    if (number && sentence) rules.push({ number: Number(number), sentence, proofs: [] });
    const [, file, title] = /^ +- `(test\/[\w/-]+\.test\.ts)`: (.+?)(?: \*\(server\)\*)?$/.exec(line) ?? [];
    if (file && title) rules.at(-1)?.proofs.push({ file, title });
    else if (/^ +- /.test(line)) throw new Error(`RULES.md: not "- \`test/x.test.ts\`: title": ${line}`);
  }
  return rules;
}

/** The text of a test file as its strings are read. */
const sourceOf = (file: string) => readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'");

describe('the rules of the business', () => {
  const rules = readRules();

  test('there are 25 of them, each once, each a sentence', () => {
    expect(rules.map(({ number }) => number)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    for (const { sentence } of rules) expect(sentence).toMatch(/^[A-Z`].*\.$/);
  });

  test('each names tests that there are, and that name it', () => {
    const astray = rules.flatMap(({ number, proofs }) => [
      ...(proofs.length === 0 ? [`rule ${number} names no test`] : []),
      ...proofs
        .filter(({ file, title }) => {
          const titles = existsSync(join(root, file)) ? sourceOf(file) : '';
          const named: string[] = /^rules? ([\d, and]+):/.exec(title)?.[1]?.match(/\d+/g) ?? [];
          return (
            !["'", '"', '`'].some((quote) => titles.includes(`${quote}${title}${quote}`)) ||
            !named.includes(String(number))
          );
        })
        .map(({ file, title }) => `rule ${number}: no such test in ${file}: ${title}`),
    ]);
    expect(astray).toEqual([]);
  });

  test('every test that names a rule names one that there is', () => {
    const files = new Set(rules.flatMap(({ proofs }) => proofs.map(({ file }) => file)));
    for (const file of files)
      for (const [, numbers = ''] of sourceOf(file).matchAll(/\brules? ((?:\d+(?:, | and )?)+)\b/g))
        for (const number of numbers.match(/\d+/g) ?? [])
          expect([file, Number(number) >= 1 && Number(number) <= 25]).toEqual([file, true]);
  });
});
