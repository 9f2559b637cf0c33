import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { migrations } from '../../migrations/index.js';
import { migrate, migrateDown, type Orm, openOrm } from '../../src/database/orm.js';
import { entities } from '../../src/schema/entities.js';
import { engine, onServer, serverUrl, type TestDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, buy, skus, stockShop } from '../support/shop.js';

const run = promisify(execFile);
const onServerOnly = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('Processes that migrate at once need a server: set TEST_DATABASE_URL.');

const names = migrations.map((migration) => migration.name);
const tablesOf = async (orm: Orm): Promise<string[]> => {
  const rows = await orm.em
    .fork()
    .execute<{ name: string }[]>(
      `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    );
  return rows.map((row) => row.name);
};

/** A database with nothing in it. */
async function emptyDatabase(): Promise<TestDatabase> {
  if (!serverUrl)
    return { config: { kind: 'embedded', dataDir: 'memory://' }, pglite: undefined, drop: async () => undefined };
  const name = `csp_graph_test_${randomUUID().replaceAll('-', '')}`;
  await onServer((client) => client.query(`create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    config: { kind: 'server', url: url.href, poolSize: 4, statementTimeoutMs: 15_000 },
    pglite: undefined,
    drop: async () => void (await onServer((client) => client.query(`drop database if exists ${name} with (force)`))),
  };
}

describe(`migrations, on ${engine}`, () => {
  let database: TestDatabase;
  let orm: Orm;
  beforeEach(async () => {
    database = await emptyDatabase();
    orm = await openOrm(database.config, { entities });
  });
  afterEach(async () => {
    await orm.close(true);
    await database.drop();
  });

  test('an empty database is brought up to date, and once only', async () => {
    expect(await migrate(orm)).toEqual(names);
    expect(await migrate(orm)).toEqual([]);
    expect(await tablesOf(orm)).toEqual([...entities.map((entity) => entity.meta.tableName), 'migrations'].toSorted());
  });

  test('the tables are those of the entities, and so is the snapshot', async () => {
    await migrate(orm);
    expect(await orm.schema.getUpdateSchemaSQL()).toBe('');
    expect(await orm.migrator.checkSchema()).toBe(false);
  });

  test('every migration can be taken back, down to nothing, and run again', async () => {
    await migrate(orm);
    for (const name of names.toReversed()) expect(await migrateDown(orm)).toEqual([name]);
    expect(await migrateDown(orm)).toEqual([]);
    expect(await tablesOf(orm)).toEqual(['migrations']);
    const functions = `select proname from pg_proc f join pg_namespace n on n.oid = pronamespace
      where nspname = 'public' and not exists (select from pg_depend where objid = f.oid and deptype = 'e')`;
    expect(await orm.em.fork().execute(functions)).toEqual([]);
    expect(await migrate(orm)).toEqual(names);
    expect(await orm.schema.getUpdateSchemaSQL()).toBe('');
  });

  test('names that are there when names get their order are composed, keep their rows, and are in that order', async () => {
    await migrate(orm);
    for (let undone = ''; !undone.endsWith('_names'); ) [undone = '_names'] = await migrateDown(orm);
    const run = (statement: string, parameters: unknown[] = []) => orm.em.fork().execute(statement, parameters);
    await run(`insert into markets (code, name, currencies) values ('AT', 'Austria', '{EUR}')`);
    const [zebra, muller, ornek] = ['Zebra', 'Mu\u0308ller', '\u00d6rnek'];
    for (const name of [zebra, muller, ornek])
      await run(
        `insert into customers (id, tenant_id, domain, company_name, market_code, contact_first_name, contact_last_name, contact_email, created_at)
         values (gen_random_uuid(), gen_random_uuid(), lower(gen_random_uuid()::text), ?, 'AT', 'A', 'B', 'a@b.example', now())`,
        [name],
      );
    await migrate(orm);
    await run(`update customers set contact_last_name = ? where company_name = 'Zebra'`, ['Ho\u0308fer']);
    expect(await run('select company_name as name, contact_last_name as person from customers order by 1')).toEqual([
      { name: 'Müller', person: 'B' },
      { name: 'Örnek', person: 'B' },
      { name: 'Zebra', person: 'Höfer' },
    ]);
  });

  test('order lines keep what they were judged by when policies become rows, and SKUs the policies of their own', async () => {
    await migrate(orm);
    for (let undone = ''; !undone.endsWith('_policies'); ) [undone = '_policies'] = await migrateDown(orm);
    const run = (statement: string, parameters: unknown[] = []) => orm.em.fork().execute(statement, parameters);
    const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    await run(`insert into markets (code, name, currencies) values ('AT', 'Austria', '{EUR}')`);
    await run(`insert into market_closures (market_code, kind) values ('AT', 'AZURE_RESERVATION')`);
    await run(
      `insert into customers (id, tenant_id, domain, company_name, market_code, contact_first_name, contact_last_name, contact_email, created_at)
       values ('${id(1)}', '${id(1)}', 'a.example', 'A', 'AT', 'A', 'B', 'a@b.example', now())`,
    );
    await run(`insert into products (id, product_id, title, publisher) values ('${id(1)}', 'AAAAAAAAAAAA', 'P', 'P')`);
    await run(`insert into orders (id, number, customer_id, market_code, status, currency, total, tax_included, placed_at, placed_by, correlation_id)
       values ('${id(1)}', '000000000001', '${id(1)}', 'AT', 'COMPLETED', 'EUR', 4, false, '2026-07-15T10:00:00Z', 'a', '${id(1)}')`);
    const until = '2026-07-22T23:59:00Z';
    for (const [n, kind, term, refundType, days, bySupport] of [
      [0, 'PERPETUAL_SOFTWARE', null, 'FULL', 30, false],
      [1, 'SOFTWARE_SUBSCRIPTION', 'P1Y', 'PRORATED', 7, false],
      [2, 'PERPETUAL_SOFTWARE', null, 'FULL', 30, true],
      [3, 'LINUX_PLAN', 'P1Y', null, null, false],
    ] as const) {
      await run(
        `insert into skus (id, product_id, sku_id, title, kind, term_duration, refund_type, cancellation_window_days, support_request_required)
         values (?, '${id(1)}', ?, 'S', ?, ?, ?, ?, ?)`,
        [id(n), `000${n}`, kind, term, refundType, days, bySupport],
      );
      await run(
        `insert into order_lines (id, order_id, line_number, sku_id, quantity, unit_price, total, status, refund_type, cancellable_until)
         values (?, '${id(1)}', ?, ?, 1, 1, 1, 'ACTIVE', ?, ?)`,
        [id(n), n, id(n), refundType, refundType && until],
      );
    }
    await migrate(orm);
    const sold = (type: string) => [{ sequence: 0, type, expiresAt: '2026-07-22T23:59:00.000Z' }];
    expect(
      await run(
        'select refund_options as options, support_request_required as "bySupport" from order_lines order by line_number',
      ),
    ).toEqual([
      { options: sold('FULL'), bySupport: false },
      { options: sold('PARTIAL'), bySupport: false },
      { options: sold('FULL'), bySupport: true },
      { options: [], bySupport: false },
    ]);
    expect(
      await run(
        'select s.sku_id as sku, p.kind, refund_options as options, support_request_required as "bySupport" from cancellation_policies p join skus s on s.id = p.sku_id order by 1',
      ),
    ).toEqual([
      {
        sku: '0001',
        kind: 'SOFTWARE_SUBSCRIPTION',
        options: [{ sequence: 0, type: 'PARTIAL', expiresAfter: 'P7D' }],
        bySupport: false,
      },
      { sku: '0002', kind: 'PERPETUAL_SOFTWARE', options: [], bySupport: true },
    ]);
    expect(await run('select market_code as market, is_closed as closed from market_closures')).toEqual([
      { market: 'AT', closed: true },
    ]);
  });

  test('lines of invoices that are there say what they are for when they get a charge type', async () => {
    await migrate(orm);
    for (let undone = ''; !undone.endsWith('_charge_types'); ) [undone = '_charge_types'] = await migrateDown(orm);
    const run = (statement: string, parameters: unknown[] = []) => orm.em.fork().execute(statement, parameters);
    const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    await run(`insert into markets (code, name, currencies) values ('AT', 'Austria', '{EUR}')`);
    await run(
      `insert into customers (id, tenant_id, domain, company_name, market_code, contact_first_name, contact_last_name, contact_email, created_at)
       values ('${id(1)}', '${id(1)}', 'a.example', 'A', 'AT', 'A', 'B', 'a@b.example', now())`,
    );
    await run(`insert into products (id, product_id, title, publisher) values ('${id(9)}', 'AAAAAAAAAAAA', 'P', 'P')`);
    await run(
      `insert into skus (id, product_id, sku_id, title, kind) values ('${id(1)}', '${id(9)}', '0001', 'S', 'PERPETUAL_SOFTWARE')`,
    );
    await run(`insert into orders (id, number, customer_id, market_code, status, currency, total, tax_included, placed_at, placed_by, correlation_id)
       values ('${id(1)}', '000000000001', '${id(1)}', 'AT', 'COMPLETED', 'EUR', 93, false, '2026-07-15T10:00:00Z', 'a', '${id(1)}')`);
    await run(
      `insert into cancellations (id, order_id, customer_id, status, credit, currency, requested_at, requested_by, requested_by_role, confirmed_at, correlation_id)
       values ('${id(1)}', '${id(1)}', '${id(1)}', 'CONFIRMED', 60, 'EUR', now(), 'a', 'ADMIN_AGENT', now(), '${id(1)}')`,
    );
    await run(`insert into invoices (id, number, customer_id, currency, period_start, period_end)
       values ('${id(1)}', 'G000000001', '${id(1)}', 'EUR', '2026-07-01', '2026-07-31')`);
    // Perpetual, a month that is prorated from the third day on, and one that is given back whole.
    for (const [n, term, unused] of [
      [0, null, null],
      [1, '2026-07-15', 29],
      [2, '2026-07-15', null],
    ] as const) {
      await run(
        `insert into order_lines (id, order_id, line_number, sku_id, quantity, unit_price, total, status, term_start, term_end)
         values (?, '${id(1)}', ?, '${id(1)}', 1, 31, 31, 'CANCELLED', ?, ?)`,
        [id(n), n, term, term && '2026-08-14'],
      );
      await run(
        `insert into cancellation_lines (id, cancellation_id, order_line_id, refund_type, unit_credit, quantity, credit, term_days, unused_days)
         values (?, '${id(1)}', ?, 'FULL', 29, 1, 29, ?, ?)`,
        [id(n), id(n), unused && 31, unused],
      );
      await run(
        `insert into invoice_lines (id, invoice_id, kind, order_line_id, cancellation_line_id, description, quantity, unit_amount, amount, booked_at)
         values (?, '${id(1)}', 'CHARGE', ?, null, 'C', 1, 31, 31, now()), (?, '${id(1)}', 'CREDIT', ?, ?, 'C', 1, 29, -29, now())`,
        [id(10 + n), id(n), id(20 + n), id(n), id(n)],
      );
    }
    await migrate(orm);
    expect(
      await run(
        'select account, count(*)::int as entries, sum(amount)::int as sum from ledger_entries group by account order by 1',
      ),
    ).toEqual([
      { account: 'ACCOUNTS_RECEIVABLE', entries: 6, sum: 6 },
      { account: 'SALES', entries: 3, sum: -93 },
      { account: 'SALES_RETURNS', entries: 3, sum: 87 },
    ]);
    const said = await run(
      'select charge_type as type, charge_start as start, charge_end as end, order_id as order, product_id as product from invoice_lines order by id',
    );
    const line = (type: string, start: string | null) => ({
      type,
      start,
      end: start && '2026-08-14',
      order: id(1),
      product: id(9),
    });
    expect(said).toEqual([
      line('NEW', null),
      line('NEW', '2026-07-15'),
      line('NEW', '2026-07-15'),
      line('CANCEL_IMMEDIATE', null),
      line('CANCEL_IMMEDIATE', '2026-07-17'),
      line('CANCEL_IMMEDIATE', '2026-07-15'),
    ]);
  });

  test('invoices of months that are over are issued, and those of the month that runs open, when months get a closing', async () => {
    await migrate(orm);
    for (let undone = ''; !undone.endsWith('_month_closings'); ) [undone = '_month_closings'] = await migrateDown(orm);
    const run = (statement: string, parameters: unknown[] = []) => orm.em.fork().execute(statement, parameters);
    const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    await run(`insert into markets (code, name, currencies) values ('AT', 'Austria', '{EUR}')`);
    await run(
      `insert into customers (id, tenant_id, domain, company_name, market_code, contact_first_name, contact_last_name, contact_email, created_at)
       values ('${id(1)}', '${id(1)}', 'a.example', 'A', 'AT', 'A', 'B', 'a@b.example', now())`,
    );
    await run(`insert into invoices (id, number, customer_id, currency, period_start, period_end)
       values ('${id(1)}', 'G987654321', '${id(1)}', 'EUR', '2020-02-01', '2020-02-29'),
        ('${id(2)}', 'G000000001', '${id(1)}', 'EUR', date_trunc('month', now() at time zone 'UTC'), date_trunc('month', now() at time zone 'UTC') + interval '1 month - 1 day')`);
    await migrate(orm);
    const invoices = () =>
      run(
        `select number, issued_at at time zone 'UTC' as "issuedAt", document_type as type from invoices order by period_start`,
      );
    expect(await invoices()).toEqual([
      { number: 'G987654321', issuedAt: expect.anything(), type: 'INVOICE' },
      { number: null, issuedAt: null, type: 'INVOICE' },
    ]);
    expect(await run('select month::text from month_closings')).toEqual([{ month: '2020-02-01' }]);
    await expect(
      run(`insert into invoices (id, customer_id, currency, period_start, period_end)
       values ('${id(3)}', '${id(1)}', 'USD', '2020-02-01', '2020-02-29')`),
    ).rejects.toThrow('is closed');
    // Credit notes become invoices of their month again.
    await run(`insert into invoices (id, document_type, amends_of_id, customer_id, currency, period_start, period_end)
       values ('${id(3)}', 'CREDIT_NOTE', '${id(1)}', '${id(1)}', 'EUR', '2020-03-01', '2020-03-31')`);
    for (let undone = ''; !undone.endsWith('_month_closings'); ) [undone = '_month_closings'] = await migrateDown(orm);
    expect(await run('select number, period_start::text as month from invoices order by period_start')).toEqual([
      { number: 'G987654321', month: '2020-02-01' },
      { number: expect.stringMatching(/^G0{8}\d$/), month: '2020-03-01' },
      { number: expect.stringMatching(/^G0{8}\d$/), month: expect.any(String) },
    ]);
    await migrate(orm);
  });

  test('their names begin with the time they were made, oldest first, and say what they are for', () => {
    for (const name of names) expect(name).toMatch(/^Migration\d{14}_[a-z][a-z0-9_]+$/);
    expect(names).toEqual(names.toSorted());
  });

  onServerOnly('processes that migrate at once run each migration once, and all end well', async () => {
    const { url } = database.config as { url: string };
    const processes = Array.from({ length: 3 }, () =>
      run(process.execPath, ['dist/src/cli/migrate.js'], {
        env: { PATH: process.env['PATH'], DATABASE_URL: url, DATA_DIR: `/tmp/csp-graph-${process.pid}` },
      }),
    );
    const said = (await Promise.all(processes)).map(({ stdout }) => stdout.trim());
    expect(said.toSorted()).toEqual([...Array(2).fill('nothing to do'), names.map((name) => `ran ${name}`).join('\n')]);
  });

  onServerOnly(
    'gateways that start at once on an empty database all serve, with one set of reference data',
    async () => {
      const gateways = await Promise.all(
        [1, 2, 3].map(() => startTestGateway({ database: { ...database, drop: async () => undefined } })),
      );
      const markets = await Promise.all(gateways.map((gateway) => gateway.run('{ markets { code } }', {}, null)));
      for (const { data } of markets) expect(data).toEqual(markets[0]?.data);
      expect(await tablesOf(orm)).toContain('activity_entries');
      for (const gateway of gateways) await gateway.stop();
    },
  );
});

describe(`constraints, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    await buy(gateway, await aCustomer(gateway), [{ ...skus.perpetual, quantity: 2 }]);
    await gateway.sql(
      `insert into cancellations (id, order_id, customer_id, status, credit, currency, requested_at, requested_by, requested_by_role, correlation_id)
       select gen_random_uuid(), id, customer_id, 'PENDING', 1, 'USD', now(), 'a', 'ADMIN_AGENT', gen_random_uuid() from orders`,
    );
    await gateway.sql(
      `insert into cancellation_lines (id, cancellation_id, order_line_id, refund_type, unit_credit, quantity, credit)
       select gen_random_uuid(), c.id, l.id, 'FULL', 1, 2, 2 from cancellations c join order_lines l on l.order_id = c.order_id`,
    );
    await gateway.sql(
      `insert into download_links (id, entitlement_id, version, language, architecture, created_at, created_by, created_by_role, expires_at)
       select gen_random_uuid(), id, '2022', 'en-US', 'x64', now(), 'a', 'ADMIN_AGENT', now() from entitlements`,
    );
  });
  afterAll(() => gateway.stop());

  const copy = (table: string, columns: string, values: string) =>
    `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), ${values}))).* from ${table} t where ${columns}`;

  test.each([
    ['a negative price', `update prices set unit_price = -1`, 'prices_unit_price_check'],
    ['a price finer than four digits', `update prices set unit_price = 0.00001`, 'prices_unit_price_check'],
    ['a price that ends before it begins', `update prices set effective_end_date = '2000-01-01'`, 'prices_period'],
    ['a price in no currency', `update prices set currency = 'us$'`, 'prices_currency_check'],
    ['a price twice', copy('prices', 'true', `'source', 'INVENTED'`), 'prices_identity_key'],
    ['a negative order', `update orders set total = -1`, 'orders_total_check'],
    ['an unknown state of an order', `update orders set status = 'LOST'`, 'orders_status_check'],
    ['an order number twice', copy('orders', 'true', `'total', 0`), 'orders_number_key'],
    ['an order number of another form', `update orders set number = 'A1'`, 'orders_number_check'],
    ['an order of nobody', `update orders set customer_id = gen_random_uuid()`, 'orders_customer_id_foreign'],
    ['a customer that has orders, gone', `delete from customers`, 'foreign'],
    ['a line that does not add up', `update order_lines set total = total + 0.01`, 'order_lines_total'],
    ['a line of nothing', `update order_lines set quantity = 0, total = 0`, 'order_lines_quantity_check'],
    [
      'a line with a negative price',
      `update order_lines set unit_price = -1, total = -2`,
      'order_lines_unit_price_check',
    ],
    ['a term without an end', `update order_lines set term_start = '2026-01-01'`, 'order_lines_term'],
    [
      'a term that ends before it begins',
      `update order_lines set term_start = '2026-01-02', term_end = '2026-01-01'`,
      'order_lines_term',
    ],
    ['an unknown state of a line', `update order_lines set status = 'EXPIRED'`, 'order_lines_status_check'],
    ['a line of no order', `update order_lines set order_id = gen_random_uuid()`, 'order_lines_order_id_foreign'],
    [
      'a line number twice',
      copy('order_lines', 'true', `'quantity', 1, 'total', 1, 'unit_price', 1`),
      'order_lines_number_key',
    ],
    ['a negative credit', `update cancellations set credit = -0.01`, 'cancellations_credit_check'],
    ['confirmed without an instant', `update cancellations set status = 'CONFIRMED'`, 'cancellations_confirmed'],
    ['an instant without being confirmed', `update cancellations set confirmed_at = now()`, 'cancellations_confirmed'],
    ['a line cancelled twice', copy('cancellation_lines', 'true', `'credit', 2`), 'cancellation_lines_once_key'],
    ['a credit that does not add up', `update cancellation_lines set credit = 3`, 'cancellation_lines_credit'],
    [
      'a charge booked twice',
      copy('invoice_lines', `kind = 'CHARGE'`, `'description', 'again'`),
      'invoice_lines_charge_once_key',
    ],
    [
      'a charge that does not add up',
      copy('invoice_lines', 'true', `'amount', amount - 1, 'charge_type', 'RENEW'`),
      'invoice_lines_amount',
    ],
    [
      'a credit without a cancellation',
      copy('invoice_lines', 'true', `'kind', 'CREDIT', 'charge_type', 'CANCEL_IMMEDIATE', 'amount', -amount`),
      'invoice_lines_cancellation',
    ],
    [
      'a purchase that gives back',
      copy('invoice_lines', 'true', `'kind', 'CREDIT', 'amount', -amount`),
      'invoice_lines_charge_type',
    ],
    [
      'a charge for days without an end',
      copy('invoice_lines', 'true', `'charge_start', '2026-01-01', 'charge_type', 'RENEW'`),
      'invoice_lines_period',
    ],
    ['a line of an invoice changed', `update invoice_lines set amount = 1`, 'append-only'],
    ['a line of an invoice deleted', `delete from invoice_lines`, 'append-only'],
    ['all lines of invoices deleted', `truncate invoice_lines cascade`, 'append-only'],
    ['a series of documents that goes back', `update invoice_series set last_number = last_number - 1`, 'only grows'],
    ['a series of documents deleted', `delete from invoice_series`, /are kept|permission denied/],
    ['all series of documents deleted', `truncate invoice_series`, /are kept|permission denied/],
    ['an entry of the ledger changed', `update ledger_entries set amount = 0`, 'append-only'],
    ['an entry of the ledger deleted', `delete from ledger_entries`, 'append-only'],
    ['all entries of the ledger deleted', `truncate ledger_entries`, 'append-only'],
    [
      'an entry of the ledger without its other half',
      `insert into ledger_entries (invoice_line_id, account, customer_id, currency, amount, booked_at)
       select id, 'SALES_RETURNS', gen_random_uuid(), 'USD', 0.01, now() from invoice_lines`,
      'do not balance',
    ],
    [
      'an account twice for one line',
      `insert into ledger_entries (invoice_line_id, account, customer_id, currency, amount, booked_at)
       select id, 'SALES', gen_random_uuid(), 'USD', 0, now() from invoice_lines`,
      'ledger_entries_once_key',
    ],
    ['an entitlement revoked without an instant', `update entitlements set status = 'REVOKED'`, 'entitlements_revoked'],
    ['an entitlement with an unknown state', `update entitlements set status = 'EXPIRED'`, 'entitlements_status_check'],
    ['two entitlements of one line', copy('entitlements', 'true', `'quantity', 1`), 'entitlements_order_line_key'],
    ['more downloads than the link has', `update download_links set downloads = 51`, 'download_links_bound'],
    [
      'a Linux plan that can be cancelled',
      `update cancellation_policies set refund_options = '[{"sequence":0,"type":"FULL","expiresAfter":"P30D"}]' where kind = 'LINUX_PLAN'`,
      'cancellation_policies_linux_plan_final',
    ],
    [
      'unused days of what has no term',
      `update cancellation_policies set refund_options = '[{"sequence":0,"type":"PARTIAL","expiresAfter":"P30D"}]' where kind = 'PERPETUAL_SOFTWARE'`,
      'cancellation_policies_perpetual_full',
    ],
    [
      'a refund option without an end',
      `update cancellation_policies set refund_options = '[{"sequence":0,"type":"FULL"}]'`,
      'cancellation_policies_options',
    ],
    [
      'a refund option of months',
      `update cancellation_policies set refund_options = '[{"sequence":0,"type":"FULL","expiresAfter":"P1M"}]'`,
      'cancellation_policies_options',
    ],
    [
      'a window without a refund option',
      `update order_lines set refund_options = '[]' where cancellable_until is not null`,
      'order_lines_refund_options',
    ],
    ['a subscription without a term', `update skus set term_duration = null`, 'skus_perpetual_without_term'],
    ['a SKU id without its zeros', `update skus set sku_id = '1'`, 'skus_sku_id_check'],
    ['a domain in upper case', `update customers set domain = upper(domain)`, 'customers_domain_check'],
    ['a market that is none', `update customers set market_code = 'ZZ'`, 'customers_market_code_foreign'],
    ['a market without a currency', `update markets set currencies = '{}'`, 'markets_currencies_check'],
    [
      'a second incarnation',
      `insert into database_incarnation (singleton) values (false)`,
      'database_incarnation_singleton_check',
    ],
    [
      'a revocation in upper case',
      `insert into access_revocations (identity, user_principal_name, revoked_at, revoked_by) values ('name:A@B', 'A@B', now(), 'c')`,
      'access_revocations_user_principal_name_check',
    ],
    [
      'an entry with an unknown action',
      `insert into activity_entries (id, action, outcome, actor, actor_role, resource_type, resource_id, resource_label, correlation_id, detail) values (gen_random_uuid(), 'KEY_LEAKED', 'SUCCEEDED', 'a', 'b', 'ORDER', 'c', 'd', gen_random_uuid(), '{}')`,
      'activity_entries_action_check',
    ],
    ['an entry changed', `update activity_entries set actor = 'nobody'`, 'append-only'],
    ['an entry deleted', `delete from activity_entries`, 'append-only'],
    ['all entries deleted', `truncate activity_entries`, 'append-only'],
  ])('%s is refused by the database itself', async (_what, statement, reason) => {
    await expect(gateway.sql(statement)).rejects.toThrow(reason);
  });
});
