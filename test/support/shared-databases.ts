import { type ChildProcess, execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.js';
import { serverUrl, type TestDatabase, testDatabase, unpackDatabase } from './database.js';
import { startTestGateway, type TestGateway } from './gateway.js';

/** Encryption keys, the one for new product keys first. */
export type Keys = { keyId: string; secret: Uint8Array }[];
/** An encryption key of 32 equal bytes. */
export const key = (keyId: string, byte: number) => ({ keyId, secret: new Uint8Array(32).fill(byte) });
const textOf = (keys: Keys) =>
  keys.map(({ keyId, secret }) => `${keyId}:${Buffer.from(secret).toString('base64')}`).join();

/** Databases that gateways of the test and programs open, on an embedded one one after the other. */
export class SharedDatabases {
  readonly folder = mkdtempSync(join(tmpdir(), 'csp-graph-keys-'));
  private readonly databases: TestDatabase[] = [];

  async drop(): Promise<void> {
    for (const database of this.databases) await database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A new one. */
  async open() {
    const home = join(this.folder, randomUUID());
    const dataDir = join(home, 'postgres');
    if (!serverUrl) unpackDatabase(dataDir);
    const database: TestDatabase = serverUrl
      ? await testDatabase()
      : { config: { kind: 'embedded', dataDir }, pglite: undefined, drop: async () => undefined };
    this.databases.push(database);
    const { config } = database;
    const settings: Record<string, string> = { DATA_DIR: home, PORT: '0', DEMO_DATA: 'false' };
    if (config.kind === 'server') settings['DATABASE_URL'] = config.url;
    /** A compiled program with these keys, running. */
    const spawn = (program: string, keys: Keys, ...args: string[]) => {
      let child: ChildProcess | undefined;
      const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
        const env = { PATH: process.env['PATH'], ...settings, PRODUCT_KEY_SECRETS: textOf(keys) };
        const program_ = [`dist/src/${program}.js`, ...args];
        child = execFile(process.execPath, program_, { env }, (_error, out, err) =>
          resolve({ code: child?.exitCode ?? null, out, err }),
        );
      });
      return { child: child as unknown as ChildProcess, ended };
    };
    return {
      spawn,
      rotate: (keys: Keys, ...args: string[]) => spawn('cli/rotate-keys', keys, ...args).ended,
      /** Work on a gateway with these keys, that is stopped afterwards. */
      serve: async <Result>(
        keys: Keys,
        work: (gateway: TestGateway) => Promise<Result>,
        config: Partial<Config> = {},
      ): Promise<Result> => {
        const gateway = await startTestGateway({ database, config: { productKeySecrets: keys, ...config } });
        return work(gateway).finally(() => gateway.gateway.stop());
      },
    };
  }
}
export type Shared = Awaited<ReturnType<SharedDatabases['open']>>;
