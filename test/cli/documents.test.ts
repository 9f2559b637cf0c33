import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { canonicalOperations } from '../../src/execution/canonical-document.js';
import { DocumentCache } from '../../src/execution/documents.js';
import { TrustedDocuments } from '../../src/execution/trusted-documents.js';
import { namedOperations } from '../support/operations.js';

const folder = mkdtempSync(join(tmpdir(), 'csp-graph-documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const runNode = (script: string, args: string[]) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const env = { PATH: process.env['PATH'], DATA_DIR: folder };
    const child = execFile(process.execPath, [script, ...args], { env }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
const run = (...args: string[]) => runNode('dist/src/cli/documents.js', args);

const SDL = readFileSync('schema/schema.graphql', 'utf8');
const names = namedOperations().map(({ name }) => name);

describe('npm run documents -- check', () => {
  test('finds nothing in the committed operations and the committed schema', async () => {
    expect(await run('check')).toEqual({
      code: 0,
      out: `${names.length} documents: 0 things would break, 0 are deprecated\n`,
      err: '',
    });
    expect(await run('check', '--format', 'json')).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  test('names what a newer schema breaks, by file, line, operation, field and reason, and what it deprecates', async () => {
    const newer = file(
      'newer.graphql',
      SDL.replace(/^ {2}endCursor: String$/m, '  lastCursor: String')
        .replace(/^ {2}companyName: String!$/m, '  companyName: String')
        .replace(/^ {2}restoredAt: DateTime!$/m, '  restoredAt: DateTime! @deprecated(reason: "Nobody asks.")')
        .replace(/^input EndSessionInput/m, 'input EndSessionInputs')
        .replaceAll(': EndSessionInput!', ': EndSessionInputs!'),
    );
    const { code, out, err } = await run('check', '--schema', newer);
    expect([code, err]).toEqual([1, '']);
    const lines = out.trim().split('\n');
    for (const told of [
      'schema/operations/access.graphql:70:7  breaking  Sessions › sessions.pageInfo.endCursor: Cannot query field "endCursor" on type "PageInfo".',
      'schema/operations/access.graphql:75:29  breaking  EndSession: Unknown type "EndSessionInput".',
      'schema/operations/activity.graphql:14:5  breaking  ActivityFeed › ...Entry.customer.companyName: It is of type "String", which was "String!".',
      'schema/operations/access.graphql:31:7  deprecated  RestoreAccess › restoreAccess.restoredAt: The field RestoreAccessSuccess.restoredAt is deprecated. Nobody asks.',
    ])
      expect(lines).toContainEqual(expect.stringContaining(told));
    expect(lines.at(-1)).toMatch(new RegExp(`^${names.length} documents: \\d+ things would break, 1 are deprecated$`));
    const json = JSON.parse((await run('check', '--schema', newer, '--format', 'json')).out);
    expect(json).toHaveLength(lines.length - 1);
    expect(json).toContainEqual({
      file: 'schema/operations/access.graphql',
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      name: 'Sessions',
      at: { line: 70, column: 7 },
      field: 'sessions.pageInfo.endCursor',
      reason: 'Cannot query field "endCursor" on type "PageInfo". Did you mean "lastCursor"?',
      severity: 'breaking',
    });
  });

  test('a field that is null in fewer places breaks nobody, and what is only deprecated exits with 0', async () => {
    const newer = file('stricter.graphql', SDL.replace(/^ {2}endCursor: String$/m, '  endCursor: String! @deprecated'));
    const { code, out } = await run('check', '--schema', newer);
    expect(code).toBe(0);
    expect(out).toMatch(/0 things would break, \d\d? are deprecated\n$/);
  });

  test('takes several manifests, of each form, and tells of those that cannot be read', async () => {
    const apollo = file(
      'apollo.json',
      JSON.stringify({
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [{ id: 'm1', name: 'M', type: 'query', body: 'query M { markets { code } }' }],
      }),
    );
    const relay = file('relay.json', JSON.stringify({ r1: 'query R {\n  markets { kode }\n}', r2: '{ markets' }));
    const none = file('none.json', '[]');
    const { code, out } = await run('check', '--manifest', apollo, '--manifest', relay, '--manifest', none);
    expect(code).toBe(1);
    expect(out.trim().split('\n')).toEqual([
      `${relay}:1:10  breaking  r2: Syntax Error: Expected Name, found <EOF>.`,
      expect.stringMatching(/none\.json {2}breaking {2}It is no manifest of persisted documents/),
      expect.stringMatching(
        /relay\.json:2:13 {2}breaking {2}R › markets\.kode: Cannot query field "kode" on type "Market"/,
      ),
      '2 documents: 3 things would break, 0 are deprecated',
    ]);
  });

  test.each([
    [[]],
    [['chek']],
    [['check', 'schema/operations']],
    [['check', '--manifest', 'nowhere']],
    [['check', '--schema', 'nowhere']],
    [['check', '--format', 'xml']],
    [['list', '--schema', 'schema/schema.graphql']],
    [['write']],
  ])('called with %j is called wrongly', async (args) => {
    expect(await run(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining('npm run documents') });
  });

  test('says of a schema that is none what is wrong with it', async () => {
    const { code, err } = await run('check', '--schema', file('no-schema.graphql', 'type Query {'));
    expect([code, err]).toEqual([1, expect.stringContaining('no-schema.graphql is no schema: Syntax Error')]);
  });
});

describe('npm run documents -- list and write', () => {
  test('list prints id, hash and name of each', async () => {
    const { code, out } = await run('list');
    const rows = out
      .trim()
      .split('\n')
      .map((line) => line.split('\t'));
    expect([code, rows.map(([, , name]) => name).sort()]).toEqual([0, names.toSorted()]);
    for (const [id, hash] of rows) expect(id).toBe(hash);
    const [first] = JSON.parse((await run('list', '--format', 'json')).out);
    expect(Object.keys(first)).toEqual(['id', 'sha256', 'name', 'file']);
  });

  test('write makes a manifest that is checked and trusted like the files', async () => {
    const manifest = join(folder, 'manifest.json');
    expect(await run('write', manifest)).toMatchObject({ code: 0, err: '' });
    const texts: Record<string, string> = JSON.parse(readFileSync(manifest, 'utf8'));
    for (const [id, text] of Object.entries(texts)) expect(id).toBe(createHash('sha256').update(text).digest('hex'));
    const asked = (documents: string[]) => documents.flatMap((text) => canonicalOperations(text)).toSorted();
    expect(asked(Object.values(texts))).toEqual(asked(namedOperations().map(({ text }) => text)));
    expect((await run('check', '--manifest', manifest)).code).toBe(0);
  });

  test('list and write refuse what cannot be read', async () => {
    const broken = file('broken.json', JSON.stringify({ b: '{' }));
    expect(await run('list', '--manifest', broken)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('broken.json:1:2'),
    });
  });
});

describe('the manifest that the code generator writes', () => {
  const out = join(folder, 'generated/');
  beforeAll(async () => {
    const config = file(
      'codegen.json',
      JSON.stringify({
        schema: 'schema/schema.graphql',
        documents: 'schema/operations/*.graphql',
        generates: { [out]: { preset: 'client', presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } } } },
      }),
    );
    const { code } = await runNode('node_modules/@graphql-codegen/cli/esm/bin.js', ['--config', config, '--silent']);
    expect(code).toBe(0);
  });

  test('is checked, and trusted by its ids and by the texts of our files', async () => {
    const manifest = join(out, 'persisted-documents.json');
    expect(await run('check', '--manifest', manifest)).toMatchObject({ code: 0 });
    const texts: Record<string, string> = JSON.parse(readFileSync(manifest, 'utf8'));
    expect(Object.keys(texts)).toHaveLength(names.length);
    const trusted = new TrustedDocuments({
      config: { paths: [manifest], roles: ['SALES_AGENT'] },
      schema: buildSchema(SDL),
      documents: new DocumentCache(),
    });
    const viewer = { roles: ['SALES_AGENT'] as const };
    for (const [documentId, text] of Object.entries(texts)) expect(trusted.resolve({ documentId }, viewer)).toBe(text);
    for (const { text } of namedOperations()) expect(trusted.resolve({ query: text }, viewer)).toBe(text);
  });
});
