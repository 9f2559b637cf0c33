import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { DatabaseConfig } from '../src/config.js';
import { migrate, migrateDown, type Orm, openOrm } from '../src/orm.js';
import { engine, onServer, serverUrl } from './support/database.js';

const opened: Orm[] = [];
const databases: string[] = [];

/** An empty database of the test's own. */
async function emptyDatabase(): Promise<DatabaseConfig> {
  if (!serverUrl) return { kind: 'embedded', dataDir: 'memory://' };
  const name = `csp_graph_test_${randomUUID().replaceAll('-', '')}`;
  await onServer((client) => client.query(`create database ${name}`));
  databases.push(name);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { kind: 'server', url: url.href, poolSize: 4, statementTimeoutMs: 15_000 };
}

async function open(config: DatabaseConfig): Promise<Orm> {
  const orm = await openOrm(config);
  opened.push(orm);
  return orm;
}

const tablesOf = (orm: Orm) =>
  orm.em
    .fork()
    .execute<{ name: string }[]>(
      "select table_name as name from information_schema.tables where table_schema = 'public' and table_name <> 'migrations' order by 1",
    );

afterEach(async () => {
  for (const orm of opened.splice(0)) await orm.close(true);
  for (const name of databases.splice(0))
    await onServer((client) => client.query(`drop database if exists ${name} with (force)`));
});

describe(`migrations, on ${engine}`, () => {
  test('bring an empty database up to what the entities say, without drift', async () => {
    const orm = await open(await emptyDatabase());
    expect(await migrate(orm)).toContain('Migration20261122180000_initial');
    expect((await orm.schema.getUpdateSchemaSQL()).trim()).toBe('');
    expect(await migrate(orm)).toEqual([]);
  });

  test('the snapshot beside them is that of the entities', async () => {
    const orm = await open(await emptyDatabase());
    expect(await orm.migrator.checkSchema()).toBe(false);
  });

  test('go down to nothing and up again', async () => {
    const orm = await open(await emptyDatabase());
    await migrate(orm);
    const tables = await tablesOf(orm);
    expect(tables.length).toBeGreaterThan(15);
    while ((await migrateDown(orm)).length > 0);
    expect(await tablesOf(orm)).toEqual([]);
    await migrate(orm);
    expect(await tablesOf(orm)).toEqual(tables);
  });

  test('two processes that start at once migrate once', async () => {
    const config = await emptyDatabase();
    const first = await open(config);
    // The embedded database belongs to one process: there, the second caller is of the same one.
    const second = serverUrl ? await open(config) : first;
    const ran = serverUrl
      ? await Promise.all([migrate(first), migrate(second)])
      : [await migrate(first), await migrate(second)];
    expect(ran.flat().filter((name) => name === 'Migration20261122180000_initial')).toHaveLength(1);
  });

  test('constraints hold against SQL by hand', async () => {
    const orm = await open(await emptyDatabase());
    await migrate(orm);
    const run = (statement: string) => orm.em.fork().execute(statement);
    await run(`insert into markets (code, name, currencies) values ('US', 'United States', '{USD}')`);
    const customer = `insert into customers (id, tenant_id, domain, company_name, market_code, contact_first_name, contact_last_name, contact_email, created_at)`;
    const values = (id: string, domain: string, market: string) =>
      `${customer} values ('${id}', gen_random_uuid(), '${domain}', 'A', '${market}', 'a', 'b', 'c', now())`;
    const id = randomUUID();
    await run(values(id, 'a.example', 'US'));
    const order = (columns: Record<string, string>) => {
      const row = {
        id: `'${randomUUID()}'`,
        number: `'0123456789ab'`,
        customer_id: `'${id}'`,
        market_code: `'US'`,
        status: `'COMPLETED'`,
        currency: `'USD'`,
        total: '1',
        tax_included: 'false',
        placed_at: 'now()',
        placed_by: `'x'`,
        correlation_id: 'gen_random_uuid()',
        ...columns,
      };
      return `insert into orders (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`;
    };
    await expect(run(values(randomUUID(), 'a.example', 'US'))).rejects.toThrow(/customers_domain_key/);
    await expect(run(values(randomUUID(), 'B.example', 'US'))).rejects.toThrow(/customers_domain_check/);
    await expect(run(values(randomUUID(), 'c.example', 'XX'))).rejects.toThrow(/customers_market_code_foreign/);
    await expect(run(order({ total: '-1' }))).rejects.toThrow(/orders_total_check/);
    await expect(run(order({ status: `'LOST'` }))).rejects.toThrow(/orders_status_check/);
    await expect(run(order({ number: `'not-a-number'` }))).rejects.toThrow(/orders_number_check/);
    await expect(run(order({ customer_id: `'${randomUUID()}'` }))).rejects.toThrow(/orders_customer_id_foreign/);
    await expect(run(order({}))).resolves.toBeDefined();
    await expect(run(order({}))).rejects.toThrow(/orders_number_key/);
    await expect(run(`insert into database_incarnation default values`)).rejects.toThrow(/pkey/);
  });
});
