import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { embeddedOptions, migrate, openOrm } from '../../dist/src/database/orm.js';
import { entities } from '../../dist/src/schema/entities.js';
// Compiled code: Jest's transform is not there yet when the set-up runs.
import { loadReferenceData } from '../../dist/src/seed/reference/load-reference-data.js';

/** Makes one migrated database with reference data; every test file gets a copy (a dump, or a template on a server). */
export default async function globalSetup() {
  // As the gateway is run: for development graphql-js looks twice at every value, a fifth of what the suites take.
  process.env.NODE_ENV = 'production';
  await (process.env.TEST_DATABASE_URL ? onServer(process.env.TEST_DATABASE_URL) : embedded());
}

async function fill(orm) {
  await migrate(orm);
  await orm.em.fork().transactional((em) => loadReferenceData(em));
}

async function embedded() {
  const dump = join(tmpdir(), `csp-graph-test-${process.pid}.tar`);
  const pglite = await PGlite.create(embeddedOptions);
  const orm = await openOrm({ kind: 'embedded', dataDir: 'memory://' }, { entities, pglite });
  await fill(orm);
  // The templates of databases nobody makes here are half of what every copy reads.
  const { rows } = await pglite.query('select datname from pg_database where datname <> current_database()');
  await pglite.exec('update pg_database set datistemplate = false');
  for (const { datname } of rows) await pglite.exec(`drop database ${datname}`);
  await pglite.exec('checkpoint');
  writeFileSync(dump, Buffer.from(await (await pglite.dumpDataDir('none')).arrayBuffer()));
  await orm.close(true);
  process.env.CSP_GRAPH_TEST_DUMP = dump;
  process.once('exit', () => rmSync(dump, { force: true }));
}

async function onServer(serverUrl) {
  const template = `csp_graph_template_${process.pid}`;
  await run(serverUrl, `create database ${template}`);
  const url = new URL(serverUrl);
  url.pathname = `/${template}`;
  const orm = await openOrm({ kind: 'server', url: url.href, poolSize: 4, statementTimeoutMs: 60_000 }, { entities });
  await fill(orm);
  await orm.close(true);
  process.env.CSP_GRAPH_TEST_TEMPLATE = template;
}

/** One statement on the server's own database. */
export async function run(serverUrl, statement) {
  const client = new pg.Client(serverUrl);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
