import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { Role } from '../src/auth/role.js';
import { readConfig } from '../src/config/config.js';
import { settingNames } from '../src/config/settings.js';
import { projectFile } from '../src/lib/project-file.js';

const read = (path: string) => readFileSync(projectFile(path), 'utf8');
const { services, configs, secrets } = parse(read('compose.yaml'), { merge: true });
const gateways = Object.keys(services).filter((name) => name.startsWith('gateway-'));
/** What the environment must bring. */
const environment: Record<string, string> = {
  SIGNING_SECRET: 'a secret of the tests, long enough for them',
  PRODUCT_KEY_SECRETS: `k1:${Buffer.alloc(32).toString('base64')}`,
};
/** Where Docker mounts what a service is given. */
const mounted = mkdtempSync(join(tmpdir(), 'csp-graph-secrets-'));
afterAll(() => rmSync(mounted, { recursive: true, force: true }));
/** The settings of a service, once its secrets lie where it looks for them. */
const settingsOf = (name: string): Record<string, string> => {
  for (const secret of services[name].secrets as string[])
    writeFileSync(join(mounted, secret), environment[secrets[secret].environment] ?? '');
  return Object.fromEntries(
    Object.entries<string | number>(services[name].environment).map(([setting, value]) => [
      setting,
      String(value).replace('/run/secrets', mounted),
    ]),
  );
};

describe('compose.yaml', () => {
  test('runs two gateways on one PostgreSQL, with settings that hold and are known', () => {
    expect(gateways).toHaveLength(2);
    for (const name of gateways) {
      const settings = settingsOf(name);
      for (const setting of Object.keys(settings)) expect(settingNames).toContain(setting);
      const config = readConfig(settings);
      expect(config.database).toMatchObject({ kind: 'server', url: 'postgres://postgres@postgres:5432/postgres' });
      expect(Number.parseInt(services[name].stop_grace_period, 10) * 1000).toBeGreaterThan(
        config.drainTimeoutMs + 1_000,
      );
      expect(services[name].depends_on.postgres.condition).toBe('service_healthy');
    }
    // One secret for all, and rows are made once.
    expect(new Set(gateways.map((name) => services[name].environment.SIGNING_SECRET_FILE)).size).toBe(1);
    expect(gateways.filter((name) => readConfig(settingsOf(name)).demoData)).toHaveLength(1);
  });

  test('the balancer knows every gateway, asks whether it is ready, and binds nobody to one', () => {
    const balancer: string = configs.balancer.content;
    for (const name of gateways) expect(balancer).toContain(`server ${name} ${name}:4000`);
    expect(balancer).toContain('http-check send meth GET uri /health/ready');
    const { admin } = readConfig(settingsOf(gateways[0] as string));
    expect(balancer).toContain(`check port ${admin.listen?.port}`);
    expect(balancer).toContain('option forwardfor');
    expect(balancer).not.toMatch(/cookie|stick|source/);
    expect(Object.keys(services.balancer.depends_on)).toEqual(gateways);
    expect(services.postgres.healthcheck.test).toContain('pg_isready');
    expect(read('Dockerfile')).toMatch(/^HEALTHCHECK .*"dist\/src\/cli\/health\.js"/m);
  });
});

describe('the image', () => {
  const image = mkdtempSync(join(tmpdir(), 'csp-graph-image-'));
  const settings = {
    DATA_DIR: join(image, 'data'),
    // Links are where packages would be: what is not in the image is not found beside the package that looks for it.
    NODE_OPTIONS: '--preserve-symlinks',
  };
  /** Runs an npm script in the image, as whoever operates it does. */
  const npmRun = (script: string, ...args: string[]) =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const { PATH = '', HOME } = process.env;
      // npm puts the project's own programs there, which the image has not.
      const programs = PATH.split(delimiter).filter((path) => !path.includes('node_modules'));
      const env = { ...settings, HOME, PATH: [dirname(process.execPath), ...programs].join(delimiter) };
      const child = execFile(
        'npm',
        ['run', '--silent', script, '--', ...args],
        { cwd: image, env },
        (_error, out, err) => resolve({ code: child.exitCode, out, err }),
      );
    });
  const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts;
  const commands = Object.keys(scripts).filter((name) => scripts[name]?.startsWith('node run.mjs dist/src/cli/'));

  /** What the Dockerfile copies, and of the packages those that production needs. */
  beforeAll(() => {
    const copied = [...read('Dockerfile').matchAll(/^COPY --from=build \/app\/(\S+) /gm)].map(([, path]) => path ?? '');
    expect(copied).toEqual(expect.arrayContaining(['dist', 'node_modules', 'run.mjs']));
    for (const path of copied.filter((name) => name !== 'node_modules'))
      cpSync(projectFile(path), join(image, path), { recursive: true });
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { dev?: boolean }> };
    for (const [path, { dev }] of Object.entries(packages)) {
      if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev || !existsSync(projectFile(path))) continue;
      mkdirSync(dirname(join(image, path)), { recursive: true });
      symlinkSync(projectFile(path), join(image, path));
    }
    expect(existsSync(join(image, 'node_modules/typescript'))).toBe(false);
  });
  afterAll(() => rmSync(image, { recursive: true, force: true }));

  test('holds all that the gateway reads to start', async () => {
    const gateway = spawn(process.execPath, ['dist/src/main.js'], {
      cwd: image,
      env: { ...settings, PORT: '0', DEMO_DATA: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const ended = new Promise((resolve) => gateway.once('close', resolve));
    for (const stream of [gateway.stdout, gateway.stderr]) stream.on('data', (text) => said.push(String(text)));
    const ready = new Promise((resolve) => {
      gateway.stdout.on('data', (text) => String(text).startsWith('ready') && resolve('ready'));
    });
    expect(await Promise.race([ready, ended.then(() => said.join(''))])).toBe('ready');
    gateway.kill('SIGTERM');
    await ended;
  });

  test('has every command of npm run, and says how it is called', async () => {
    expect(commands).toEqual(expect.arrayContaining(['token', 'migrate', 'demo', 'import:price-list', 'verify-log']));
    const answers = await Promise.all(commands.map((name) => npmRun(name, '--help')));
    for (const [index, name] of commands.entries())
      expect([name, answers[index]]).toEqual([
        name,
        { code: 0, out: expect.stringMatching(`npm run (--silent )?${name}\\b`), err: '' },
      ]);
  });

  test('migrates a database, and signs tokens that are printed and nothing else is', async () => {
    expect(await npmRun('migrate')).toEqual({
      code: 0,
      out: expect.stringMatching(/^(ran Migration\w+\n)+$|^nothing to do\n$/),
      err: '',
    });
    expect(await npmRun('token', '--role', 'admin_agent')).toEqual({
      code: 0,
      out: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/),
      err: '',
    });
    const tokens = JSON.parse((await npmRun('token', '--all', '--json')).out) as { role: string }[];
    expect(tokens.map(({ role }) => role)).toEqual(Object.keys(Role));
  });
});
