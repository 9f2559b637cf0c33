import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { buildSchema, isObjectType } from 'graphql';
import { decodeJwt } from 'jose';
import { Role } from '../../src/auth/role.js';
import type { Config } from '../../src/config/config.js';
import { askers, NOBODY } from '../../src/schema/access-report.js';
import { greeting } from '../../src/server/greeting.js';
import type { Gateway } from '../../src/server/start-gateway.js';
import { startProblem } from '../../src/server/start-problem.js';
import { goldenTable } from '../support/access-table.js';
import { startTestGateway } from '../support/gateway.js';

const folder = mkdtempSync(join(tmpdir(), 'csp-graph-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a compiled program, such as `cli/token`, to its end. */
const run = (program: string, args: string[] = [], settings: Record<string, string> = {}) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const env = { PATH: process.env['PATH'], DATA_DIR: folder, ...settings };
    const child = execFile(process.execPath, [`dist/src/${program}.js`, ...args], { env }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });

/** Not commands: what they have in common, and a part of `npm run check`. */
const parts = ['run-command', 'check-current', 'open-jobs', 'operator', 'import-entry', 'progress-bar', 'refusal-sink'];
const commands = readdirSync('src/cli')
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((name) => !parts.includes(name));
const STACK = /\n +at /;
/** Arguments with which a command opens the database. */
const databaseCommands: [string, string[]][] = [
  ['migrate', []],
  ['load-demo', []],
  ['verify-log', ['--database']],
  ['check-ledger', []],
  ['rotate-keys', ['--dry-run']],
  ['import-price-list', ['test/partner-center/price-lists/software-us.csv', '--dry-run']],
  ['import-policies', ['--list', 'software-subscriptions', '--from', '2027-01-01', '--dry-run']],
  ['export-reconciliation', ['--month', '2026-10']],
  ['token', ['--role', 'CUSTOMER_ADMIN', '--customer', 'contoso.onmicrosoft.com']],
];

describe('a command', () => {
  test.each(commands)('%s that is called wrongly says how it is called, and exits with 2', async (name) => {
    const { code, out, err } = await run(`cli/${name}`, ['--nonsense']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^Unknown option '--nonsense'.*\n\n(.*\n)+.*npm run /);
    expect(err).not.toMatch(STACK);
  });

  test.each<[string, string[]]>([
    ['verify-log', ['--database']],
    ['check-ledger', []],
    ['rotate-keys', []],
    ['export-reconciliation', ['--month', '2026-10']],
    ['jobs', []],
    ['jobs', ['retry', '00000000-0000-4000-8000-000000000000']],
  ])('%s %j of a database without tables says what to do', async (name, args) => {
    const { code, out, err } = await run(`cli/${name}`, args, { DATA_DIR: mkdtempSync(join(folder, 'empty-')) });
    expect([code, out]).toEqual([['verify-log', 'check-ledger'].includes(name) ? 2 : 1, '']);
    expect(err).toBe('That database has not all tables. Bring it up to date: npm run migrate\n');
  });

  test.each(databaseCommands.slice(0, 5))('%s with wrong settings names them, and exits with 2', async (name, args) => {
    const { code, out, err } = await run(`cli/${name}`, args, { PORT: 'http', LOG_LEVEL: 'loud' });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/PORT: .*\n.*LOG_LEVEL: /);
    expect(err).not.toMatch(STACK);
  });

  test.each(databaseCommands)('%s tells what to do about a database that does not answer', async (name, args) => {
    const { code, err } = await run(`cli/${name}`, args, { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    // They keep 1 for a log that was changed, and a ledger that does not balance.
    expect(code).toBe(['verify-log', 'check-ledger'].includes(name) ? 2 : 1);
    expect(err).toMatch(/^DATABASE_URL: nothing answers there/);
    expect(err).not.toMatch(STACK);
  });
});

describe('npm run access', () => {
  test('prints the committed table as Markdown, and the same as CSV and JSON', async () => {
    const [markdown, csv, json] = await Promise.all([
      run('cli/access'),
      run('cli/access', ['--format', 'csv']),
      run('cli/access', ['--format', 'json']),
    ]);
    expect([markdown.code, csv.code, json.code]).toEqual([0, 0, 0]);
    expect(markdown.out).toBe(readFileSync('docs/access.md', 'utf8'));
    const golden = [...goldenTable()];
    const told: { coordinate: string; rows: object }[] = JSON.parse(json.out);
    expect(told.map(({ coordinate, rows }) => [coordinate, rows])).toEqual(golden);
    const [header, ...rows]: string[][] = parse(csv.out);
    expect(header).toEqual(['coordinate', ...askers, 'meant']);
    expect(rows.map(([coordinate, ...cells]) => [coordinate, cells.slice(0, -1)])).toEqual(
      golden.map(([coordinate, cells]) => [coordinate, Object.values(cells)]),
    );
    const { out: ofRole } = await run('cli/access', ['--format', 'json', '--role', 'REPORT_VIEWER']);
    const everybody = JSON.parse(json.out) as { coordinate: string; rows: Record<string, string>; meant: string }[];
    expect(JSON.parse(ofRole)).toEqual(
      everybody
        .filter(({ rows }) => rows['REPORT_VIEWER'] !== '')
        .map((row) => ({ ...row, rows: { REPORT_VIEWER: row.rows['REPORT_VIEWER'] } })),
    );
    expect(await run('cli/access', ['--role', 'VIEWER'])).toMatchObject({ code: 2, out: '' });
    expect(await run('cli/access', ['--format', 'xml'])).toMatchObject({ code: 2, out: '' });
  });
});

describe('npm run schema -- --role', () => {
  test('prints what the role may use of the schema, as the table of access says', async () => {
    for (const asker of ['REPORT_VIEWER', NOBODY] as const) {
      const { code, out } = await run('cli/write-schema', ['--role', asker.toLowerCase()]);
      const types = Object.values(buildSchema(out).getTypeMap()).filter((type) => !type.name.startsWith('__'));
      const fields = types.flatMap((type) =>
        isObjectType(type) ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
      );
      const allowed = [...goldenTable()].filter(([name, rows]) => /^\w+\.\w+$/.test(name) && rows[asker] !== '');
      expect([code, fields.sort()]).toEqual([0, allowed.map(([name]) => name).sort()]);
    }
    expect(await run('cli/write-schema', ['--role', 'JANITOR'])).toMatchObject({ code: 2, out: '' });
  });
});

describe('npm run token', () => {
  test('prints a token and nothing else; --all one of every role with what it may', async () => {
    expect(await run('cli/token', ['--role', 'admin_agent', '--ttl', '1h'])).toEqual({
      code: 0,
      out: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/),
      err: '',
    });
    const { out } = await run('cli/token', ['--all']);
    for (const role of Object.keys(Role))
      expect(out).toMatch(new RegExp(`^${role}, \\S+@\\S+\\n.+\\.\\n[\\w-]+\\.[\\w-]+\\.[\\w-]+$`, 'm'));
  });

  test('--json says who it is for', async () => {
    const { out } = await run('cli/token', ['--role', 'CUSTOMER_ADMIN', '--customer', 'Fabrikam.example', '--json']);
    expect(JSON.parse(out)).toEqual({
      role: 'CUSTOMER_ADMIN',
      description: expect.stringContaining('global administrator'),
      userPrincipalName: 'admin@fabrikam.example',
      tenantId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      token: expect.stringContaining('.'),
    });
  });

  test('is good for as long as a token may be, where that is less than eight hours', async () => {
    const { code, out } = await run('cli/token', ['--role', 'ADMIN_AGENT'], { AUTH_MAX_TOKEN_LIFE_MS: '90000' });
    const { iat = 0, exp = 0 } = decodeJwt(out.trim());
    expect([code, exp - iat]).toEqual([0, 90]);
  });

  test.each(['30d', '999999999999999d'])('a life of %s is refused, with what may be', async (ttl) => {
    expect(await run('cli/token', ['--role', 'ADMIN_AGENT', '--ttl', ttl])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/86400 s \(AUTH_MAX_TOKEN_LIFE_MS\)/),
    });
  });

  test.each([[[]], [['--role', 'KING']], [['--all', '--role', 'ADMIN_AGENT']], [['--all', '--ttl', '0h']]])(
    'called with %j is called wrongly',
    async (args) => {
      expect(await run('cli/token', args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining('npm run') });
    },
  );
});

describe('the start', () => {
  test('greets on one screen, with what one opens and no tokens, whatever the database says', async () => {
    const { gateway, url, stop } = await startTestGateway();
    const { config } = gateway.services;
    const greetings = [
      await greeting(gateway),
      await greeting({ url, services: { config, kysely: {} } } as unknown as Gateway),
    ];
    await stop();
    for (const text of greetings) {
      const lines = text.split('\n');
      expect(lines.length).toBeLessThan(20);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
      for (const address of ['/', '/live', '/graphql']) expect(text).toContain(`${url}${address}`);
      expect(text).toContain('npm run --silent token -- --all');
      expect(text).not.toContain('eyJ');
    }
    expect(greetings[0]).toContain('no customers yet');
    expect(greetings[1]).toContain('not known');
  });

  test('says what to do about a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { code, out, err } = await run('main', [], { PORT: String(port), DEMO_DATA: 'false' });
    other.close();
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/PORT: the port is taken/);
    expect(err).not.toMatch(STACK);
  });

  const file = join(folder, 'file');
  writeFileSync(file, '');
  const SECRETS = {
    SIGNING_SECRET: 'a secret of forty-eight characters or a bit more',
    PRODUCT_KEY_SECRETS: `k1:${Buffer.alloc(32).toString('base64')}`,
  };
  test.each<[string, Record<string, string>, RegExp]>([
    ['an address of another machine', { HOST: '192.0.2.1' }, /\nHOST: this machine has no such address/],
    ['a host that is not there', { HOST: 'nowhere.invalid' }, /\nHOST: there is no host of that name/],
    ['no address at all', { HOST: 'a b' }, /\nHOST: /],
    ['a folder that is a file', { DATA_DIR: file }, /DATA_DIR: .*file/],
    ['the same, with secrets', { DATA_DIR: file, ...SECRETS }, /DATA_DIR: .*file/],
    ['a folder below a file', { DATA_DIR: join(file, 'below'), ...SECRETS }, /DATA_DIR: .*file/],
  ])('says what to do about %s', async (_what, settings, told) => {
    const { code, out, err } = await run('main', [], { PORT: '0', DEMO_DATA: 'false', ...settings });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(told);
    expect(err).not.toMatch(STACK);
  });

  test('errors of the system are told by the setting that they are about', () => {
    const config = { host: '127.0.0.1', port: 80, admin: { listen: { host: '::1', port: 81 } }, dataDir: '/data' };
    const told = (error: object) => startProblem(Object.assign(new Error('x'), error), config as Config)?.split(' ')[0];
    for (const [code, setting] of [
      ['EACCES', 'PORT'],
      ['EADDRINUSE', 'PORT'],
      ['EADDRNOTAVAIL', 'HOST'],
    ]) {
      expect([code, told({ code, syscall: 'listen', port: 80 })]).toEqual([code, `${setting}:`]);
      expect([code, told({ code, syscall: 'listen', port: 81 })]).toEqual([code, `ADMIN_${setting}:`]);
    }
    expect(told({ code: 'EROFS', syscall: 'mkdir', path: '/data/postgres' })).toBe('DATA_DIR:');
    expect(told({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'db.example' })).toBe('DATABASE_URL:');
    expect(told({ code: 'ENOENT', path: '/elsewhere' })).toBeUndefined();
  });

  test('a signal while it starts ends it at once, and lets the embedded database go', async () => {
    const env = { PATH: process.env['PATH'], DATA_DIR: join(folder, 'signalled'), PORT: '0', DEMO_DATA: 'false' };
    const child = spawn(process.execPath, ['dist/src/main.js'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = new Promise<[number | null, string | null]>((resolve) =>
      child.once('close', (...ended) => resolve(ended)),
    );
    await new Promise((resolve) => child.stderr.once('data', resolve));
    child.kill('SIGTERM');
    expect(await closed).toEqual([128 + 15, null]);
    expect(readdirSync(join(folder, 'signalled')).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });
});
