import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { DatabaseConfig } from '../../src/config/config.js';
import { embeddedOptions } from '../../src/database/orm.js';

/** Set to run the suites on a PostgreSQL server, in databases of their own. */
export const serverUrl = process.env['TEST_DATABASE_URL'];
/** The engine in the names of suites. */
export const engine = serverUrl ? 'PostgreSQL server' : 'embedded PostgreSQL';

/** A database of a test file's own. */
export interface TestDatabase {
  config: DatabaseConfig;
  pglite: PGlite | undefined;
  drop(): Promise<void>;
}

/** A fresh database with tables and reference data: a copy of the one that global-setup.ts made. */
export async function testDatabase(): Promise<TestDatabase> {
  if (!serverUrl) {
    const pglite = await PGlite.create({
      ...embeddedOptions,
      loadDataDir: new Blob([new Uint8Array(readFileSync(process.env['CSP_GRAPH_TEST_DUMP'] as string))]),
    });
    return { config: { kind: 'embedded', dataDir: 'memory://' }, pglite, drop: async () => undefined };
  }
  const name = `csp_graph_test_${randomUUID().replaceAll('-', '')}`;
  await onServer((client) =>
    client.query(`create database ${name} template ${process.env['CSP_GRAPH_TEST_TEMPLATE']}`),
  );
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    config: { kind: 'server', url: url.href, poolSize: 10, statementTimeoutMs: 15_000, lockTimeoutMs: 60_000 },
    pglite: undefined,
    drop: async () => {
      await onServer((client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** Puts the files of an embedded database into a folder: a gateway that starts there has only to open them. */
export function unpackDatabase(folder: string): void {
  const dump = process.env['CSP_GRAPH_TEST_DUMP'];
  // On a server nobody made one; the gateway then makes the database itself.
  if (!dump) return;
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xf', dump, '-C', folder], { stdio: 'ignore' });
}

/** Runs statements on the server's own database. */
export async function onServer<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client(serverUrl);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Two databases with the rows of one that nobody is connected to any more; an embedded one as it was dumped. */
export async function copiesOf(database: TestDatabase, dump: Blob | undefined): Promise<[TestDatabase, TestDatabase]> {
  const copy = async (): Promise<TestDatabase> => {
    if (dump) return { ...database, pglite: await PGlite.create({ ...embeddedOptions, loadDataDir: dump }) };
    const { url } = database.config as { url: string };
    const name = `csp_graph_test_${randomUUID().replaceAll('-', '')}`;
    await onServer((client) => client.query(`create database ${name} template ${new URL(url).pathname.slice(1)}`));
    return {
      config: { ...database.config, url: Object.assign(new URL(url), { pathname: name }).href } as DatabaseConfig,
      pglite: undefined,
      drop: () => onServer(async (client) => void (await client.query(`drop database if exists ${name} with (force)`))),
    };
  };
  return [await copy(), await copy()];
}
