import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readConfig } from '../src/config/config.js';
import { projectFile } from '../src/lib/project-file.js';

const read = (path: string) => readFileSync(projectFile(path), 'utf8');
const { services, configs } = parse(read('compose.yaml'), { merge: true });
const gateways = Object.keys(services).filter((name) => name.startsWith('gateway-'));
/** What the environment must bring. */
const secrets: Record<string, string> = {
  SIGNING_SECRET: 'a secret of the tests, long enough for them',
  PRODUCT_KEY_SECRETS: `k1:${Buffer.alloc(32).toString('base64')}`,
};
const settingsOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries<string | number>(services[name].environment).map(([setting, value]) => [
      setting,
      /^\$\{(\w+):\?/.test(String(value)) ? (secrets[setting] as string) : String(value),
    ]),
  );

describe('compose.yaml', () => {
  test('runs two gateways on one PostgreSQL, with settings that hold and are known', () => {
    expect(gateways).toHaveLength(2);
    const known = read('src/config/config.ts');
    for (const name of gateways) {
      const settings = settingsOf(name);
      for (const setting of Object.keys(settings)) expect(known).toContain(`  ${setting}: `);
      const config = readConfig(settings);
      expect(config.database).toMatchObject({ kind: 'server', url: 'postgres://postgres@postgres:5432/postgres' });
      expect(Number.parseInt(services[name].stop_grace_period, 10) * 1000).toBeGreaterThan(
        config.drainTimeoutMs + 1_000,
      );
      expect(services[name].depends_on.postgres.condition).toBe('service_healthy');
    }
    // One secret for all, and rows are made once.
    expect(new Set(gateways.map((name) => services[name].environment.SIGNING_SECRET)).size).toBe(1);
    expect(gateways.filter((name) => readConfig(settingsOf(name)).demoData)).toHaveLength(1);
  });

  test('the balancer knows every gateway, asks whether it is ready, and binds nobody to one', () => {
    const balancer: string = configs.balancer.content;
    for (const name of gateways) expect(balancer).toContain(`server ${name} ${name}:4000`);
    expect(balancer).toContain('option httpchk GET /health/ready');
    expect(balancer).not.toMatch(/cookie|stick|source/);
    expect(Object.keys(services.balancer.depends_on)).toEqual(gateways);
    expect(services.postgres.healthcheck.test).toContain('pg_isready');
    expect(read('Dockerfile')).toContain('/health/ready');
  });

  test('the image holds all that the gateway reads to start', async () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY --from=build \/app\/(\S+) /gm)].map(
      ([, path]) => path as string,
    );
    expect(copied).toContain('dist');
    const folder = mkdtempSync(join(tmpdir(), 'csp-graph-image-'));
    for (const path of copied) {
      if (path === 'node_modules') symlinkSync(projectFile(path), join(folder, path));
      else cpSync(projectFile(path), join(folder, path), { recursive: true });
    }
    const gateway = spawn(process.execPath, ['dist/src/main.js'], {
      cwd: folder,
      env: { DATA_DIR: join(folder, 'data'), PORT: '0', DEMO_DATA: 'false' },
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
    rmSync(folder, { recursive: true, force: true });
  });
});
