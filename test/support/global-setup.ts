import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

/** Makes one migrated database with facts; every test file gets a copy (a dump, or a template on a server). */
export default async function globalSetup(): Promise<() => Promise<void>> {
  // Compiled code: global set-up runs before Jest's transform knows of ES modules.
  const { openOrm, migrate } = await import('../../dist/src/orm.js');
  const { loadFacts } = await import('../../dist/src/data/load-facts.js');
  const fill = async (orm: import('../../src/orm.js').Orm) => {
    await migrate(orm);
    await orm.em.fork().transactional((em) => loadFacts(em as never));
  };
  const serverUrl = process.env['TEST_DATABASE_URL'];
  if (!serverUrl) {
    const dump = join(tmpdir(), `csp-graph-test-${process.pid}.tar`);
    const pglite = await PGlite.create();
    const orm = await openOrm({ kind: 'embedded', dataDir: 'memory://' }, pglite);
    await fill(orm);
    writeFileSync(dump, Buffer.from(await (await pglite.dumpDataDir('none')).arrayBuffer()));
    await orm.close(true);
    process.env['CSP_GRAPH_TEST_DUMP'] = dump;
    return async () => rmSync(dump, { force: true });
  }
  const template = `csp_graph_template_${process.pid}`;
  const onServer = async (statement: string) => {
    const client = new pg.Client(serverUrl);
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  await onServer(`create database ${template}`);
  const url = new URL(serverUrl);
  url.pathname = `/${template}`;
  const orm = await openOrm({ kind: 'server', url: url.href, poolSize: 4, statementTimeoutMs: 60_000 });
  await fill(orm);
  await orm.close(true);
  process.env['CSP_GRAPH_TEST_TEMPLATE'] = template;
  return () => onServer(`drop database if exists ${template} with (force)`);
}
