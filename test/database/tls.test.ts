import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { startTestGateway } from '../support/gateway.js';

const folder = mkdtempSync(join(tmpdir(), 'csp-graph-tls-'));
const file = (name: string) => join(folder, name);
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const onServer = serverUrl && hasOpenssl ? describe : describe.skip;
if (!serverUrl) console.warn('TLS to the database needs a server: set TEST_DATABASE_URL.');
else if (!hasOpenssl) console.warn('SKIPPED: TLS to the database: openssl is not on this machine.');

/** What a client of PostgreSQL sends first where it wants TLS. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

onServer('TLS to the database', () => {
  let database: TestDatabase;
  let proxy: Server;
  const seen = { encrypted: 0, plain: 0 };
  const sockets = new Set<Socket>();

  /** Stands before the server and speaks TLS, which the server need not. */
  beforeAll(async () => {
    database = await testDatabase();
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', file('key.pem'), '-out', file('cert.pem')];
    spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files]);
    const { hostname, port } = new URL(serverUrl as string);
    const [key, cert] = [readFileSync(file('key.pem')), readFileSync(file('cert.pem'))];
    proxy = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', (first) => {
        if (!first.equals(SSL_REQUEST)) {
          seen.plain += 1;
          socket.destroy();
          return;
        }
        seen.encrypted += 1;
        socket.write('S');
        const secure = new TLSSocket(socket, { isServer: true, key, cert });
        const server = connect(Number(port || 5432), hostname);
        sockets.add(server);
        for (const one of [secure, server]) one.on('error', () => undefined);
        secure.pipe(server).pipe(secure);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, 'localhost', resolve));
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    proxy?.close();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const urlOf = (parameters: Record<string, string>, through = true) => {
    const url = new URL((database.config as { url: string }).url);
    if (through) url.host = `localhost:${(proxy.address() as AddressInfo).port}`;
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  };
  const migrate = (DATABASE_URL: string) =>
    new Promise<{ code: number | null; err: string }>((resolve) => {
      const env = { PATH: process.env['PATH'], DATA_DIR: folder, DATABASE_URL };
      const child = execFile(process.execPath, ['dist/src/cli/migrate.js'], { env }, (_error, _out, err) =>
        resolve({ code: child.exitCode, err }),
      );
    });

  test('every connection is encrypted where sslmode asks for it', async () => {
    const { config } = database;
    const url = urlOf({ sslmode: 'verify-full', sslrootcert: file('cert.pem') });
    const analysts = { poolSize: 1, statementTimeoutMs: 15_000 };
    const gateway = await startTestGateway({
      database: {
        config: { ...config, url, analysts } as typeof config,
        pglite: undefined,
        drop: async () => undefined,
      },
    });
    for (const role of ['GLOBAL_ADMIN', 'REPORT_VIEWER'] as const)
      expect((await gateway.run('{ customers { nodes { id } } }', {}, role)).errors).toBeUndefined();
    await gateway.stop();
    expect(seen.encrypted).toBeGreaterThan(2);
    expect(seen.plain).toBe(0);
  });

  test('a certificate that is not trusted is refused, with what to do', async () => {
    const { code, err } = await migrate(urlOf({ sslmode: 'verify-full' }));
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^DATABASE_URL: the certificate .* not trusted here\. .*sslrootcert/),
    ]);
  });

  test('a server that speaks no TLS is refused where sslmode asks for it, and nothing is sent to it in clear', async () => {
    const silent = createServer((socket) => socket.once('data', () => socket.write('N')));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = new URL(urlOf({ sslmode: 'verify-full' }, false));
    url.host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { code, err } = await migrate(url.href);
    silent.close();
    expect([code, err]).toEqual([1, expect.stringMatching(/^DATABASE_URL: the server speaks no TLS/)]);
  });
});
