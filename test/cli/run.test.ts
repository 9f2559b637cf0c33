import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type * as Semver from 'semver';

// Nobody declares it here: packages that production needs bring it along.
const semver = createRequire(import.meta.url)('semver') as typeof Semver;

/** A compiler that says what is wrong with sources that hold the word. */
const COMPILER = `import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
await new Promise((resolve) => setTimeout(resolve, 200));
appendFileSync('compiled', 'x');
const text = readFileSync('src/main.ts', 'utf8');
if (text.includes('wrong')) { console.log('main.ts(1,1): error'); process.exit(1); }
mkdirSync('dist/src', { recursive: true });
writeFileSync('dist/src/main.js', text);
writeFileSync('dist/src/command.js', 'console.log(process.argv.slice(2).join(), process.env.GREETING)');`;

let folder: string;
const write = (path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
/** Runs `run.mjs` of the folder to its end. */
const runner = (...args: string[]) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const env = { PATH: process.env['PATH'] };
    const child = execFile(process.execPath, [join(folder, 'run.mjs'), ...args], { cwd: folder, env }, (_e, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
const timesCompiled = () => readFileSync(join(folder, 'compiled'), 'utf8').length;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'csp-graph-run-'));
  for (const file of ['run.mjs', 'package.json']) cpSync(file, join(folder, file));
  write('src/main.ts', 'console.log("started")');
  write('src/other.ts', '');
  write('node_modules/typescript/bin/tsc', COMPILER);
  write('node_modules/typescript/package.json', '{"type":"module"}');
  for (const page of ['playground', 'live'])
    write(
      `src/web/${page}/bundle.mjs`,
      `import { cpSync } from 'node:fs'; cpSync('package.json', 'dist/${page}/index.html');`,
    );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('run.mjs', () => {
  test('builds what is not there, tells each step on standard error, and then runs', async () => {
    const { code, out, err } = await runner('dist/src/main.js');
    expect([code, out]).toEqual([0, 'started\n']);
    expect(err.replace(/ *\d+\.\d s/g, '')).toBe(
      '  compiling TypeScript …\n  bundling the playground …\n  bundling the dashboard …\nbuilt in\n',
    );
    expect(await runner('dist/src/main.js')).toEqual({
      code: 0,
      out: 'started\n',
      err: 'everything is built already\n',
    });
    expect(timesCompiled()).toBe(1);
  });

  test('compiles for a command alone, quiet where it is compiled; the environment goes before .env', async () => {
    expect(await runner('dist/src/command.js')).toMatchObject({ code: 0, out: ' undefined\n' });
    write('.env', 'GREETING=hello\nPATH=nowhere');
    expect(await runner('dist/src/command.js', '--role', 'X')).toEqual({ code: 0, out: '--role,X hello\n', err: '' });
    expect(timesCompiled()).toBe(1);
  });

  test('builds again after a source was edited, or taken away', async () => {
    await runner();
    const later = new Date(Date.now() + 5_000);
    utimesSync(join(folder, 'src/other.ts'), later, later);
    await runner();
    expect(timesCompiled()).toBe(2);
    utimesSync(join(folder, 'src/other.ts'), 0, 0);
    await runner();
    expect(timesCompiled()).toBe(2);
    rmSync(join(folder, 'src/other.ts'));
    await runner();
    expect(timesCompiled()).toBe(3);
  });

  test('shows what the compiler says is wrong, each time, and runs nothing', async () => {
    write('src/main.ts', 'wrong');
    for (const _ of [1, 2]) {
      const { code, out, err } = await runner('dist/src/main.js');
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/main\.ts\(1,1\): error\n\ncompiling TypeScript failed/);
    }
  });

  test('of two at once the second waits, and finds everything built', async () => {
    const answers = await Promise.all([runner('dist/src/main.js'), runner('dist/src/main.js')]);
    expect(answers.map(({ code, out }) => [code, out])).toEqual(Array(2).fill([0, 'started\n']));
    expect(timesCompiled()).toBe(1);
  });

  test('a build that was killed holds nobody up', async () => {
    write('dist/.building', '999999999');
    expect(await runner('dist/src/main.js')).toMatchObject({ code: 0, out: 'started\n' });
  });

  test('runs nothing once npm, which asked for it, was ended', async () => {
    const shell = spawn('sh', ['-c', `"${process.execPath}" run.mjs dist/src/main.js; true`], {
      cwd: folder,
      env: { PATH: process.env['PATH'], npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    shell.stdout.on('data', (text) => {
      out += text;
    });
    // The pipe is the build's too, and closes once it has ended.
    const closed = new Promise((resolve) => shell.stdout.once('close', resolve));
    await new Promise((resolve) => shell.stderr.once('data', resolve));
    shell.kill('SIGTERM');
    await closed;
    expect([out, timesCompiled()]).toEqual(['', 1]);
  });

  test('builds nothing where there are no sources, as in the image', async () => {
    await runner();
    rmSync(join(folder, 'src'), { recursive: true });
    rmSync(join(folder, 'node_modules'), { recursive: true });
    expect(await runner('dist/src/command.js')).toEqual({ code: 0, out: ' undefined\n', err: '' });
  });

  test('says what to do where nothing is installed, or Node is too old', async () => {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    expect(await runner('dist/src/main.js')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('npm ci'),
    });
    write('package.json', JSON.stringify({ type: 'module', engines: { node: '>=99.1.0' } }));
    expect(await runner('dist/src/main.js')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/needs Node >=99\.1\.0; this is/),
    });
  });
});

test('package.json asks for the Node that packages of production ask for: no older, no newer', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean; engines?: { node?: string } }>;
  };
  const own: string = JSON.parse(readFileSync('package.json', 'utf8')).engines.node;
  const wanted = Object.entries(packages).flatMap(([path, { dev, engines }]) =>
    path === '' || dev || !engines?.node ? [] : [{ path, range: engines.node }],
  );
  expect(wanted.length).toBeGreaterThan(100);
  expect(wanted.filter(({ range }) => !semver.subset(own, range))).toEqual([]);
  const least = semver.minVersion(own)?.version;
  expect(wanted.map(({ range }) => semver.minVersion(range)?.version)).toContain(least);
});
