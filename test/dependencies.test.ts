import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'csp-graph-dependencies-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (script: string, args: string[], cwd: string, settings: Record<string, string> = {}) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const { PATH, HOME } = process.env;
    const path = join(process.cwd(), '.ci', script);
    const child = execFile(
      process.execPath,
      [path, ...args],
      { cwd, env: { PATH, HOME, ...settings } },
      (_error, out, err) => resolve({ code: child.exitCode, out, err }),
    );
  });

describe('npm run licenses', () => {
  interface Locked {
    version: string;
    license?: string;
    dev?: boolean;
    dependencies?: Record<string, string>;
  }
  /** A project with these packages beside ours, listed. */
  const listed = async (name: string, packages: Record<string, Locked>) => {
    const project = join(folder, name);
    mkdirSync(join(project, 'docs'), { recursive: true });
    mkdirSync(join(project, 'src'));
    cpSync('src/web', join(project, 'src/web'), { recursive: true });
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    Object.assign(lock.packages, packages);
    writeFileSync(join(project, 'package-lock.json'), JSON.stringify(lock));
    const { code, err } = await run('licenses.mjs', [], project);
    return { code, err, list: readFileSync(join(project, 'docs/licenses.md'), 'utf8'), project };
  };

  test('lists what production installs and what the pages are bundled from, and is current', async () => {
    const { code, err, list, project } = await listed('current', {});
    expect([code, err]).toEqual([0, '']);
    expect(list).toBe(readFileSync('docs/licenses.md', 'utf8'));
    const [gateway = '', pages = ''] = list.split('## What its pages');
    expect(gateway).toContain('| fastify | MIT |');
    expect(pages).toContain('| monaco-editor | MIT |');
    expect(list).not.toContain('| typescript |');
    writeFileSync(join(project, 'docs/licenses.md'), '');
    expect(await run('licenses.mjs', ['--check'], project)).toMatchObject({
      code: 1,
      err: expect.stringContaining('npm run licenses'),
    });
  });

  test.each<[string, Locked, boolean]>([
    ['GPL-3.0-only', { version: '1.0.0', license: 'GPL-3.0-only' }, false],
    ['none', { version: '1.0.0' }, false],
    ['no expression', { version: '1.0.0', license: 'SEE LICENSE IN LICENSE.md' }, false],
    ['one that also has a condition', { version: '1.0.0', license: 'MIT AND GPL-2.0-only' }, false],
    ['a choice', { version: '1.0.0', license: '(GPL-2.0-only OR MIT)' }, true],
    ['GPL-3.0-only, of a tool', { version: '1.0.0', license: 'GPL-3.0-only', dev: true }, true],
  ])('a licence of %s is refused unless it is allowed or not shipped', async (name, locked, isAllowed) => {
    const { code, err } = await listed(name.replaceAll(' ', '-'), { 'node_modules/another': locked });
    expect(code).toBe(isAllowed ? 0 : 1);
    if (!isAllowed) expect(err).toContain('another 1.0.0: ');
  });

  test('a licence that a page brings by what it needs is refused', async () => {
    const { dependencies, ...react } = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages[
      'node_modules/react'
    ];
    const { code, err } = await listed('page', {
      'node_modules/react': { ...react, dependencies: { ...dependencies, another: '1.0.0' } },
      'node_modules/another': { version: '1.0.0', license: 'AGPL-3.0-only', dev: true },
    });
    expect([code, err]).toEqual([1, expect.stringContaining('another 1.0.0: AGPL-3.0-only')]);
  });
});

describe('npm run audit', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });
  /** Asks a registry that answers like this; without one, a port where nobody is. */
  const audit = async (answer?: RequestListener) => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    if (answer) servers.push(server);
    else await new Promise((resolve) => server.close(resolve));
    return run('audit.mjs', [], process.cwd(), {
      npm_config_registry: `http://127.0.0.1:${port}/`,
      // npm remembers advisories.
      npm_config_cache: mkdtempSync(join(folder, 'cache-')),
    });
  };
  /** A registry that knows an advisory of fastify, of that severity. */
  const knowing =
    (severity: string): RequestListener =>
    (request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url?.endsWith('/advisories/bulk')) {
        const advisory = { id: 1, url: 'https://advisories.example/1', title: 'A hole', vulnerable_versions: '*' };
        response.end(JSON.stringify({ fastify: [{ ...advisory, severity, cwe: [], cvss: { score: 9 } }] }));
      } else response.writeHead(404).end('{}');
    };

  test('fails for a package with a grave one, and names it', async () => {
    const { code, err } = await audit(knowing('critical'));
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^fastify .*: critical\. .*A hole https:\/\/advisories\.example\/1/m),
    ]);
  });

  test('tells lesser ones, and passes', async () => {
    const { code, out } = await audit(knowing('low'));
    expect([code, out]).toEqual([0, expect.stringMatching(/^[1-9]\d* packages .*, 0 of them high or critical\n$/)]);
  });

  test('passes where none is known', async () => {
    const { code, out } = await audit((_request, response) =>
      response.setHeader('content-type', 'application/json').end('{}'),
    );
    expect([code, out]).toEqual([0, expect.stringMatching(/^0 packages with known vulnerabilities/)]);
  });

  test.each<[string, RequestListener | undefined]>([
    ['is not there', undefined],
    ['has no such service', (_request, response) => response.writeHead(405).end()],
    ['is broken', (_request, response) => response.writeHead(503).end('<html>')],
    ['answers something else', (_request, response) => response.end('<html>')],
  ])('says aloud that it was skipped where the registry %s, and passes', async (_, answer) => {
    const { code, out } = await audit(answer);
    expect([code, out]).toEqual([0, expect.stringMatching(/^SKIPPED: the registry did not say/)]);
  });
});
