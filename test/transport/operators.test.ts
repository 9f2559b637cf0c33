import { execFile } from 'node:child_process';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/config.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';

const TOKEN = 'a-token-of-the-operators-0123456789abcdef';
const paths = ['/health/live', '/health/ready', '/metrics'];

describe(`what operators ask, on ${engine}`, () => {
  let gateway: TestGateway;
  afterEach(() => gateway.stop());

  const start = async (admin: Config['admin']) => {
    gateway = await startTestGateway({ config: { admin } });
    return gateway;
  };
  const statusOf = async (url: string, authorization?: string) => {
    const response = await fetch(url, { headers: authorization ? { authorization } : {} });
    const text = await response.text();
    return { status: response.status, challenge: response.headers.get('www-authenticate'), text };
  };

  test('on a port of its own it is there and nowhere else, and nothing else is there', async () => {
    const { url } = await start({ listen: { host: '127.0.0.1', port: 0 }, token: null });
    const adminUrl = gateway.gateway.adminUrl as string;
    expect(new URL(adminUrl).port).not.toBe(new URL(url).port);
    for (const path of paths) {
      expect([path, (await statusOf(`${adminUrl}${path}`)).status]).toEqual([path, 200]);
      expect([path, (await statusOf(`${url}${path}`)).status]).toEqual([path, 404]);
    }
    for (const path of ['/graphql', '/graphql/stream', '/', '/live', '/schema.graphql', '/exports/activity.csv'])
      expect([path, (await statusOf(`${adminUrl}${path}`)).status]).toEqual([path, 404]);
    expect((await fetch(`${adminUrl}/metrics`, { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  test.each([null, { host: '127.0.0.1', port: 0 }])(
    'with a token it is answered to who sends it, whether it has a port of its own or not (%j)',
    async (listen) => {
      const { url } = await start({ listen, token: TOKEN });
      const base = gateway.gateway.adminUrl ?? url;
      for (const path of paths) {
        expect([path, (await statusOf(`${base}${path}`, `Bearer ${TOKEN}`)).status]).toEqual([path, 200]);
        expect(await statusOf(`${base}${path}`)).toEqual({
          status: 401,
          challenge: 'Bearer realm="csp-graph operators"',
          text: expect.stringContaining('ADMIN_TOKEN'),
        });
        const others = [
          'Bearer x',
          `Basic ${TOKEN}`,
          TOKEN,
          `Bearer ${TOKEN}x`,
          `Bearer ${await gateway.token('GLOBAL_ADMIN')}`,
        ];
        for (const other of others) {
          const { status, text } = await statusOf(`${base}${path}`, other);
          expect([path, other, status]).toEqual([path, other, 401]);
          expect(text).not.toContain(TOKEN);
        }
      }
      expect(gateway.log.join()).not.toContain(TOKEN);
    },
  );

  test('the command of a container’s health check asks where the settings say, with the token', async () => {
    await start({ listen: { host: '127.0.0.1', port: 0 }, token: TOKEN });
    const { port } = new URL(gateway.gateway.adminUrl as string);
    const health = (settings: Record<string, string>) =>
      new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
        const env = { PATH: process.env['PATH'], DATA_DIR: '/nonexistent', ...secrets, ...settings };
        const child = execFile(process.execPath, ['dist/src/cli/health.js'], { env }, (_error, out, err) =>
          resolve({ code: child.exitCode, out, err }),
        );
      });
    const secrets = {
      SIGNING_SECRET: 'a secret of the tests, long enough for them',
      PRODUCT_KEY_SECRETS: `k1:${Buffer.alloc(32).toString('base64')}`,
    };
    expect(await health({ ADMIN_PORT: port, ADMIN_TOKEN: TOKEN, ADMIN_HOST: '0.0.0.0' })).toEqual({
      code: 0,
      out: '{"status":"ready"}\n',
      err: '',
    });
    expect(await health({ ADMIN_PORT: port })).toMatchObject({ code: 1, err: expect.stringContaining('401') });
    expect(await health({ PORT: '1' })).toMatchObject({ code: 1, err: expect.stringContaining('does not answer') });
  });
});
