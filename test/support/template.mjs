/** Makes the database of which every suite gets a copy: migrated, with reference data. Run by prepare.mjs. */
import { renameSync, writeFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { embeddedOptions, migrate, openOrm } from '../../dist/src/database/orm.js';
import { entities } from '../../dist/src/schema/entities.js';
import { loadReferenceData } from '../../dist/src/seed/reference/load-reference-data.js';

async function fill(orm) {
  await migrate(orm);
  await orm.em.fork().transactional((em) => loadReferenceData(em));
}

/** Makes a dump of an embedded database. */
export async function makeDump(file) {
  const pglite = await PGlite.create(embeddedOptions);
  const orm = await openOrm({ kind: 'embedded', dataDir: 'memory://' }, { entities, pglite });
  await fill(orm);
  // The templates of databases nobody makes here are half of what every copy reads.
  const { rows } = await pglite.query('select datname from pg_database where datname <> current_database()');
  await pglite.exec('update pg_database set datistemplate = false');
  for (const { datname } of rows) await pglite.exec(`drop database ${datname}`);
  await pglite.exec('checkpoint');
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, Buffer.from(await (await pglite.dumpDataDir('none')).arrayBuffer()));
  renameSync(partial, file);
  await orm.close(true);
}

/** Makes a template on a server. */
export async function makeTemplate(serverUrl, template) {
  await run(serverUrl, `create database ${template}`);
  const url = new URL(serverUrl);
  url.pathname = `/${template}`;
  const orm = await openOrm({ kind: 'server', url: url.href, poolSize: 4, statementTimeoutMs: 60_000 }, { entities });
  await fill(orm);
  await orm.close(true);
}

/** Drops a template of a server. */
export function dropTemplate(serverUrl, template) {
  return run(serverUrl, `drop database if exists ${template} with (force)`);
}

/** One statement on the server's own database. */
async function run(serverUrl, statement) {
  const client = new pg.Client(serverUrl);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
