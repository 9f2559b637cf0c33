import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoTenantId } from '../../src/auth/demo-tenant.js';
import { type Orm, openOrm } from '../../src/database/orm.js';
import { checkLedger } from '../../src/modules/billing/check-ledger.js';
import { decryptProductKey } from '../../src/modules/entitlements/product-key.js';
import { entities } from '../../src/schema/entities.js';
import { DemoRefused, loadDemo, loadDemoOnFirstStart } from '../../src/seed/demo/load-demo.js';
import { orderNumberAt, supportRequestNumberAt } from '../../src/seed/demo/numbers.js';
import { SeededRandom } from '../../src/seed/demo/random.js';
import { engine, type TestDatabase, testDatabase } from '../support/database.js';

const now = new Date('2026-11-22T19:00:00Z');
const productKeySecrets = [{ keyId: 'test', secret: new Uint8Array(32).fill(7) }];
const PRODUCT_KEY = '[BCDFGHJKMNPQRTVWXY2346789]{5}(-[BCDFGHJKMNPQRTVWXY2346789]{5}){4}';

let orm: Orm;
const select = <Row = Record<string, string>>(query: string): Promise<Row[]> =>
  orm.em.fork().execute(query) as Promise<Row[]>;
const count = async (query: string): Promise<number> =>
  Number((await select<{ n: string }>(`select count(*) as n from ${query}`))[0]?.n);

const databases: TestDatabase[] = [];
async function emptyDatabase(): Promise<Orm> {
  const database = await testDatabase();
  databases.push(database);
  return openOrm(database.config, { entities, pglite: database.pglite });
}

beforeAll(async () => {
  orm = await emptyDatabase();
  await loadDemoOnFirstStart(orm, { now, productKeySecrets });
});
afterAll(async () => {
  await orm.close(true);
  for (const database of databases) await database.drop();
});

describe(`the demonstration set, on ${engine}`, () => {
  test('has 220 customers in 42 markets, closed ones among them, and 1,500 orders of all four kinds', async () => {
    expect(await count('customers')).toBe(220);
    expect(await count('(select distinct market_code from customers) as markets')).toBe(42);
    expect(
      await count("customers join market_closures using (market_code) where kind = 'AZURE_RESERVATION'"),
    ).toBeGreaterThanOrEqual(6);
    expect(await count('orders')).toBe(1_500);
    expect(
      await count('(select distinct kind from order_lines join skus on skus.id = order_lines.sku_id) as kinds'),
    ).toBe(4);
    expect(
      await count("(select distinct market_code from customers) as markets where market_code in ('AU', 'BR')"),
    ).toBe(2);
  });

  test('sells no reservation where that is closed (rule 1)', async () => {
    expect(
      await count(
        'orders join order_lines on order_id = orders.id join skus on skus.id = order_lines.sku_id join market_closures using (market_code, kind)',
      ),
    ).toBe(0);
  });

  test('every order line has the price of its day, and every total adds up (rule 3)', async () => {
    const wrongPrices = `orders join customers on customers.id = customer_id join order_lines on order_id = orders.id
      cross join lateral (select unit_price as listed from prices where prices.sku_id = order_lines.sku_id and prices.market_code = orders.market_code
        and prices.currency = orders.currency and prices.segment = customers.segment and effective_start_date <= placed_at and effective_end_date > placed_at
        order by effective_end_date desc limit 1) as price where unit_price <> listed`;
    expect(await count(wrongPrices)).toBe(0);
    expect(await count('orders where total <> (select sum(total) from order_lines where order_id = orders.id)')).toBe(
      0,
    );
    expect(await count("prices where source <> 'INVENTED'")).toBe(0);
    expect(
      await count(
        'prices as a join prices as b using (sku_id, market_code, currency, segment) where a.id <> b.id and a.effective_start_date < b.effective_start_date and a.effective_end_date > b.effective_start_date',
      ),
    ).toBe(1);
  });

  test('has cancellations of every outcome, and lines that can be cancelled now', async () => {
    const outcomes = await select('select distinct status from cancellations order by status');
    expect(outcomes).toEqual([{ status: 'CONFIRMED' }, { status: 'PENDING' }, { status: 'REFUSED' }]);
    expect(
      await count(
        "(select distinct refund_type from cancellation_lines join cancellations on cancellations.id = cancellation_id where status = 'CONFIRMED') as types",
      ),
    ).toBe(2);
    expect(
      await count("order_lines where status = 'ACTIVE' and cancellable_until > timestamptz '2026-11-22T19:00:00Z'"),
    ).toBeGreaterThan(20);
    expect(
      await count(
        'cancellations join cancellation_lines on cancellation_id = cancellations.id join order_lines on order_lines.id = order_line_id where requested_at > cancellable_until',
      ),
    ).toBe(0);
    expect(
      await count(
        "cancellations where status = 'PENDING' and requested_at + interval '15 minutes' > timestamptz '2026-11-22T19:00:00Z'",
      ),
    ).toBe(await count("cancellations where status = 'PENDING'"));
  });

  test('states agree: a confirmed cancellation ends line, entitlement and key, and an order when all its lines are', async () => {
    const confirmed =
      "(select order_line_id from cancellation_lines join cancellations on cancellations.id = cancellation_id where status = 'CONFIRMED')";
    expect(await count(`order_lines where (status = 'CANCELLED') <> (id in ${confirmed})`)).toBe(0);
    expect(await count(`entitlements where (status = 'REVOKED') <> (order_line_id in ${confirmed})`)).toBe(0);
    expect(
      await count("product_keys join entitlements on entitlements.id = entitlement_id where status = 'REVOKED'"),
    ).toBe(0);
    expect(
      await count(
        "orders where (status = 'CANCELLED') <> not exists (select from order_lines where order_id = orders.id and order_lines.status <> 'CANCELLED')",
      ),
    ).toBe(0);
    expect(
      await count(
        "activity_entries where action = 'PRODUCT_KEY_REVEALED' and at > (select revoked_at from entitlements where 'ent_' || entitlements.id = resource_id)",
      ),
    ).toBe(0);
  });

  test('every credit on an invoice is a confirmed cancellation, in the month of its confirmation, and they add up (rule 16)', async () => {
    const booked = `(select customer_id, currency, -sum(amount) as credit from invoice_lines
      join invoices on invoices.id = invoice_id where kind = 'CREDIT' group by customer_id, currency) as booked`;
    const confirmed = `(select customer_id, currency, sum(credit) as credit from cancellations
      where status = 'CONFIRMED' group by customer_id, currency) as confirmed`;
    expect(await count(booked)).toBeGreaterThan(30);
    expect(await count(`${booked} full join ${confirmed} using (customer_id, currency, credit)`)).toBe(
      await count(booked),
    );
    const outside = "(booked_at at time zone 'utc')::date not between period_start and period_end";
    expect(await count(`invoice_lines join invoices on invoices.id = invoice_id where ${outside}`)).toBe(0);
    const charge = "select from invoice_lines where order_line_id = order_lines.id and kind = 'CHARGE'";
    expect(await count(`order_lines where not exists (${charge})`)).toBe(0);
  });

  test('its ledger balances (rule 16)', async () => {
    expect(await checkLedger(orm.em.fork().getKysely() as never)).toEqual({
      fault: null,
      summary: expect.stringMatching(/^[\d,]+ invoices with [\d,]{5} lines in \d+ currencies, [\d,]{5} entries$/),
    });
  });

  test('the log has its entries in the order of time, none after now', async () => {
    expect(Math.abs((await count('activity_entries')) - 5_500)).toBeLessThan(60);
    expect(
      await count(
        '(select at, lag(at) over (order by xid, seq) as before from activity_entries) as entries where before > at',
      ),
    ).toBe(0);
    expect(await count("activity_entries where at > timestamptz '2026-11-22T19:00:00Z'")).toBe(0);
    expect(await count('(select distinct action from activity_entries) as actions')).toBe(12);
  });

  test('every order tells the story of a real one: placed, confirmed by fulfilment at once, then all that came of it', async () => {
    const entries = (action: string) =>
      `activity_entries as entry where entry.order_id = orders.id and action = '${action}'`;
    for (const action of ['ORDER_PLACED', 'ORDER_CONFIRMED'])
      expect(await count(`orders where (select count(*) from ${entries(action)}) <> 1`)).toBe(0);
    const told = `select string_agg(action, ' ' order by xid, seq) as told from activity_entries as entry where entry.order_id = orders.id`;
    expect(await count(`orders where (${told}) not like 'ORDER_PLACED ORDER_CONFIRMED%'`)).toBe(0);
    expect(
      await count(
        `activity_entries as placed join activity_entries as confirmed using (order_id)
         where placed.action = 'ORDER_PLACED' and confirmed.action = 'ORDER_CONFIRMED' and (
           placed.detail <> confirmed.detail or placed.actor <> confirmed.actor or placed.actor_role <> confirmed.actor_role
           or placed.correlation_id <> confirmed.correlation_id or placed.product_ids <> confirmed.product_ids
           or placed.at <> confirmed.at or confirmed.application <> 'fulfilment')`,
      ),
    ).toBe(0);
    for (const [status, action] of [
      ['CONFIRMED', 'CANCELLATION_CONFIRMED'],
      ['REFUSED', 'CANCELLATION_REFUSED'],
    ]) {
      const about = `(select detail ->> 'cancellationId' from activity_entries where action = '${action}')`;
      expect(await count(`cancellations where (status = '${status}') <> (id::text in ${about})`)).toBe(0);
    }
    expect(await count('orders where placed_by_role is null or placed_by_identity is null')).toBe(0);
    expect(await count('order_lines where billing_plan is null')).toBe(0);
  });

  test('every month that is closed says so in the log, with its invoices', async () => {
    expect(
      await count(
        `month_closings full join (select resource_id::date as month, (detail ->> 'invoices')::int as invoices, at
           from activity_entries where action = 'MONTH_CLOSED') as told using (month)
         where closed_at is distinct from at
           or invoices <> (select count(*) from invoices where period_start = month and document_type = 'INVOICE')`,
      ),
    ).toBe(0);
    expect(await count('month_closings')).toBe(24);
  });

  test('downloads of a link are as many as the log says (rule 11)', async () => {
    expect(
      await count(
        `(select entitlement_id, sum(downloads) as downloads from download_links group by entitlement_id) as links
          where downloads <> (select count(*) from activity_entries where action = 'SOFTWARE_DOWNLOADED' and resource_id = 'ent_' || entitlement_id)`,
      ),
    ).toBe(0);
    expect(await count('download_links where downloads = maximum_downloads')).toBe(1);
  });

  test('no entry holds a product key; the encrypted ones can be decrypted (rule 8)', async () => {
    expect(await count(`activity_entries where activity_entries::text ~ '${PRODUCT_KEY}'`)).toBe(0);
    const keys = await select<{ entitlement_id: string; version: string; key_id: string; sealed: Uint8Array }>(
      'select * from product_keys limit 20',
    );
    for (const { entitlement_id, version, key_id, sealed } of keys) {
      expect(decryptProductKey(sealed, key_id, productKeySecrets, `${entitlement_id}:${version}`)).toMatch(
        new RegExp(`^${PRODUCT_KEY}$`),
      );
    }
  });

  test('Contoso can cancel a perpetual licence and a subscription of SQL Server, and its tenant id is that of its domain', async () => {
    const lines = await select<{
      sku: string;
      tenant_id: string;
    }>(`select products.product_id || ':' || skus.sku_id as sku, tenant_id from order_lines
      join orders on orders.id = order_id join customers on customers.id = customer_id join skus on skus.id = order_lines.sku_id join products on products.id = skus.product_id
      where domain = 'contoso.onmicrosoft.com' and order_lines.status = 'ACTIVE' and cancellable_until > timestamptz '2026-11-22T19:00:00Z'`);
    expect(lines.map(({ sku }) => sku)).toEqual(expect.arrayContaining(['DG7GMGF0FKZV:0001', 'DG7GMGF0FKZV:0003']));
    expect(lines[0]?.tenant_id).toBe(demoTenantId('CONTOSO.onmicrosoft.com'));
  });
});

describe('loading', () => {
  test('a database with customers is refused, unless rows are to be added', async () => {
    expect(await loadDemoOnFirstStart(orm, { now, productKeySecrets })).toBe(false);
    await expect(loadDemo(orm, { now, productKeySecrets })).rejects.toThrow(DemoRefused);
  });

  test('the same seed gives the same rows, and more can be added', async () => {
    const other = await emptyDatabase();
    try {
      await loadDemo(other, { now, productKeySecrets });
      expect(await checksums(other)).toEqual(await checksums(orm));
      await loadDemo(other, { now, productKeySecrets, append: true, customers: 5, orders: 40, activity: 100 });
      const [row] = (await other.em
        .fork()
        .execute(
          'select (select count(*)::int from customers) as customers, (select count(*)::int from orders) as orders',
        )) as object[];
      expect(row).toEqual({ customers: 225, orders: 1_540 });
    } finally {
      await other.close(true);
    }
  });

  test('another seed gives other draws; numbers never meet', () => {
    const draw = (seed: number) =>
      Array.from(
        { length: 5 },
        (
          (random) => () =>
            random.fraction()
        )(new SeededRandom(seed, 'orders')),
      );
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    for (const [numberAt, form] of [
      [orderNumberAt, /^[0-9a-f]{12}$/],
      [supportRequestNumberAt, /^[0-9]{15}$/],
    ] as const) {
      const numbers = Array.from({ length: 20_000 }, (_, index) => numberAt(index));
      expect(new Set(numbers).size).toBe(20_000);
      expect(numbers.every((number) => form.test(number))).toBe(true);
    }
  });
});

/** One sum per table, over everything that the seed decides: not the transaction, nor the nonces of encrypted keys. */
async function checksums(database: Orm): Promise<unknown> {
  const rows: Record<string, string> = {
    customers: 'select * from customers',
    prices: 'select * from prices',
    orders: 'select * from orders',
    order_lines: 'select * from order_lines',
    entitlements: 'select * from entitlements',
    product_keys: 'select entitlement_id, version, key_id, issued_at from product_keys',
    download_links: 'select * from download_links',
    cancellations: 'select * from cancellations',
    cancellation_lines: 'select * from cancellation_lines',
    invoices: 'select * from invoices',
    invoice_lines: 'select * from invoice_lines',
    month_closings: 'select * from month_closings',
    ledger_entries: 'select * from ledger_entries',
    support_requests: 'select * from support_requests',
    activity_entries:
      'select seq, id, at, action, outcome, actor, customer_id, order_id, product_ids, resource_id, correlation_id, detail from activity_entries',
  };
  const sums = Object.entries(rows).map(
    ([table, query]) =>
      `(select md5(string_agg(row::text, ',' order by row::text)) from (${query}) as row) as ${table}`,
  );
  return (await database.em.fork().execute(`select ${sums.join(', ')}`))[0];
}
