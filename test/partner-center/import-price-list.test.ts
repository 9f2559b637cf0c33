import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Orm, openOrm } from '../../src/database/orm.js';
import {
  type ImportOptions,
  importPriceList,
  type Refusal,
} from '../../src/partner-center/price-list/import-price-list.js';
import { summaryText } from '../../src/partner-center/price-list/import-report.js';
import { readPriceList } from '../../src/partner-center/price-list/read-price-list.js';
import { entities } from '../../src/schema/entities.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { key, SharedDatabases } from '../support/shared-databases.js';
import { entriesOf } from '../support/software.js';

let database: TestDatabase;
let orm: Orm;
const sql = <T = Record<string, unknown>>(query: string): Promise<T[]> => orm.em.fork().execute(query);

beforeAll(async () => {
  database = await testDatabase();
  orm = await openOrm(database.config, { entities, pglite: database.pglite });
});

afterAll(async () => {
  await orm.close(true);
  await database.drop();
});

beforeEach(async () => {
  // Lines of invoices, of which there are none here, cannot be emptied.
  for (const table of ['prices', 'skus', 'products', 'markets']) await sql(`delete from ${table}`);
  await sql(
    `insert into markets (code, name, currencies) values ('US', 'United States', '{USD}'), ('DE', 'Germany', '{EUR}')`,
  );
});

async function importing(file: string, options: ImportOptions = {}) {
  const refusals: Refusal[] = [];
  const lines = readPriceList(`test/partner-center/price-lists/${file}`);
  const summary = await importPriceList(orm, lines, { ...options, onRefusal: (refusal) => refusals.push(refusal) });
  return { summary, refusals };
}

const counts = (fresh: number, changed: number, unchanged: number) => ({
  NEW: fresh,
  CHANGED: changed,
  UNCHANGED: unchanged,
});
const pricesOf = (productId: string, skuId: string) =>
  sql(`select unit_price::text as price, currency, segment, pricing_tier_range_min as "from", effective_start_date::date::text as "start"
    from prices join skus on skus.id = prices.sku_id join products on products.id = skus.product_id
    where products.product_id = '${productId}' and skus.sku_id = '${skuId}' order by "start", currency, segment, "from"`);

describe('a list as partners download it', () => {
  test('is kept with its products, SKUs and prices', async () => {
    const { summary, refusals } = await importing('software-us.csv');
    expect(refusals).toEqual([]);
    expect(summary).toEqual({
      rows: 15,
      refusedRows: 0,
      repeatedRows: 2,
      products: counts(7, 0, 0),
      skus: counts(9, 0, 0),
      prices: counts(13, 0, 0),
      removedRows: 0,
      endedPrices: 0,
      lists: [
        { view: 'AZURE_RESERVATIONS', market: 'US', currency: 'USD', begins: '2021-10-01', known: null },
        { view: 'SOFTWARE', market: 'US', currency: 'USD', begins: '2023-02-01', known: null },
      ],
      kept: true,
    });
    expect(await pricesOf('DG7GMGF0D5SL', '0007')).toEqual([
      { price: '31.40', currency: 'USD', segment: 'COMMERCIAL', from: null, start: '2021-10-01' },
    ]);
    expect(await sql('select distinct source from prices')).toEqual([{ source: 'PRICE_LIST' }]);
  });

  test('changes nothing when it is imported twice, zipped or not', async () => {
    await importing('software-us.csv');
    const before = await sql('select * from prices order by id');
    const [plain, zipped] = [await importing('software-us.csv'), await importing('software-us.zip')];
    for (const { summary } of [plain, zipped]) {
      expect(summary).toMatchObject({ products: counts(0, 0, 7), skus: counts(0, 0, 9), prices: counts(0, 0, 13) });
    }
    expect(await sql('select * from prices order by id')).toEqual(before);
  });

  test('tells what the next month changed', async () => {
    await importing('software-us.csv');
    const { summary } = await importing('software-us-next-month.csv');
    expect(summary).toMatchObject({ products: counts(1, 0, 7), skus: counts(1, 1, 8), prices: counts(1, 2, 11) });
  });

  test('keeps both of two overlapping prices: the time of sale decides (rule 3)', async () => {
    await importing('software-us.csv');
    expect(await pricesOf('DG7GMGF0D5RK', '0005')).toMatchObject([
      { price: '870.00', start: '2019-02-01' },
      { price: '912.00', start: '2023-02-01' },
    ]);
  });

  test('of two rows with one start the one with the latest end counts', async () => {
    await importing('software-us.csv');
    expect(await pricesOf('DG7GMGF0D65N', '0002')).toMatchObject([{ price: '5100.00' }]);
  });

  test('keeps every tier and every segment', async () => {
    await importing('software-us.csv');
    expect(await pricesOf('DG7GMGF0D5RK', '0004')).toMatchObject([{ from: 1 }, { from: 25 }]);
    expect(await pricesOf('DG7GMGF0DVSV', '000P')).toMatchObject([
      { segment: 'CHARITY' },
      { segment: 'COMMERCIAL' },
      { segment: 'EDUCATION' },
    ]);
  });

  test('rule 13: new SKUs get the kind of the row, and are sold by the policy of the kind', async () => {
    await importing('software-us.csv');
    const skus =
      await sql(`select product.product_id || ':' || sku.sku_id as sku, sku.kind, term_duration as term, billing_plan as plan,
      (select count(*)::int from cancellation_policies where sku_id = sku.id) as policies from skus sku join products product on product.id = sku.product_id`);
    for (const [sku, kind, term, plan] of [
      ['DG7GMGF0FKZV:0001', 'PERPETUAL_SOFTWARE', null, 'ONE_TIME'],
      ['DG7GMGF0FKZV:0003', 'SOFTWARE_SUBSCRIPTION', 'P3Y', 'TRIENNIAL'],
      ['DZH318Z0BQ36:004G', 'AZURE_RESERVATION', 'P1Y', 'ONE_TIME'],
    ])
      expect(skus).toContainEqual({ sku, kind, term, plan, policies: 0 });
  });

  test('leaves the policy and the bounds of a known SKU alone', async () => {
    await importing('software-us.csv');
    await sql(`update skus set title = 'Old', maximum_quantity = 5`);
    await sql(`insert into cancellation_policies (id, kind, sku_id, effective_date, support_request_required)
      select gen_random_uuid(), kind, id, '2026-01-01', true from skus where kind = 'PERPETUAL_SOFTWARE'`);
    const policies = () => sql('select * from cancellation_policies order by id');
    const before = await policies();
    await importing('software-us.csv');
    expect(await sql('select distinct maximum_quantity from skus')).toEqual([{ maximum_quantity: 5 }]);
    expect(await policies()).toEqual(before);
    expect(await sql(`select 1 from skus where title = 'Old'`)).toEqual([]);
  });

  test('replaces an invented price of the same identity', async () => {
    await importing('software-us.csv');
    await sql(`update prices set source = 'INVENTED'`);
    expect((await importing('software-us.csv')).summary.prices).toEqual(counts(0, 13, 0));
  });

  test('has several currencies for one market', async () => {
    await importing('software-de-six-currencies.csv');
    const prices = await pricesOf('DG7GMGF0D5RK', '0005');
    expect(prices.map((price) => price.currency)).toEqual(['CHF', 'DKK', 'EUR', 'GBP', 'NOK', 'SEK']);
  });

  test.each([
    'software-18-columns.csv',
    'software-change-indicator.csv',
    'software-from-a-spreadsheet.csv',
    'software-utf-16.csv',
  ])('%s says the same', async (file) => {
    await importing('software-us.csv');
    expect((await importing(file)).summary).toMatchObject({
      rows: 3,
      refusedRows: 0,
      skus: counts(0, 0, 3),
      prices: counts(0, 0, 3),
    });
  });

  test('leaves no trace in a dry run, and says what it would do', async () => {
    const { summary } = await importing('software-us.csv', { dryRun: true });
    expect(summary).toMatchObject({ products: counts(7, 0, 0), prices: counts(13, 0, 0), kept: false });
    expect(await sql('select 1 from products union all select 1 from skus union all select 1 from prices')).toEqual([]);
  });
});

describe('refused rows', () => {
  test('are all reported with line, column, value and reason, and nothing is kept', async () => {
    const { summary, refusals } = await importing('broken-rows.csv');
    expect(summary).toMatchObject({ rows: 30, refusedRows: 28, kept: false });
    expect(refusals.map(({ line, column }) => `${line} ${column}`)).toEqual([
      ...[
        '3 ProductId',
        '4 SkuId',
        '5 SkuId',
        '6 SkuId',
        '7 ProductTitle',
        '8 TermDuration',
        '9 TermDuration',
        '10 TermDuration',
        '11 TermDuration',
      ],
      ...[
        '12 BillingPlan',
        '13 Market',
        '14 Market',
        '15 Currency',
        '16 UnitPrice',
        '17 UnitPrice',
        '18 UnitPrice',
        '19 UnitPrice',
        '20 UnitPrice',
      ],
      ...[
        '21 UnitPrice',
        '22 ERP Price',
        '23 PricingTierRangeMax',
        '24 PricingTierRangeMin',
        '25 EffectiveStartDate',
        '26 EffectiveStartDate',
      ],
      ...['27 EffectiveStartDate', '28 EffectiveEndDate', '29 Segment', '30 SkuId', '30 UnitPrice'],
    ]);
    expect(refusals[13]).toMatchObject({ value: '1,234.50', reason: expect.stringContaining('thousands separator') });
    expect(await sql('select 1 from products union all select 1 from skus union all select 1 from prices')).toEqual([]);
  });

  test('do not keep the good ones out when asked so', async () => {
    const { summary } = await importing('broken-rows.csv', { keepGood: true });
    expect(summary).toMatchObject({ refusedRows: 28, prices: counts(2, 0, 0), kept: true });
    expect(await sql('select count(*)::int as count from prices')).toEqual([{ count: 2 }]);
  });

  test.each([
    ['broken-quote.csv', 2, 'quote is out of place'],
    ['broken-short-row.csv', 3, '3 columns where the header has 19'],
    ['broken-cut-off.csv', 17, 'file is cut off'],
    ['broken-latin-1.csv', 2, 'not UTF-8'],
  ])('%s: line %i %s', async (file, line, reason) => {
    const { summary, refusals } = await importing(file);
    expect(refusals).toEqual([expect.objectContaining({ line, reason: expect.stringContaining(reason) })]);
    expect(summary).toMatchObject({ refusedRows: 1, kept: false });
  });

  test('contradictions between rows are refused, the first row stands', async () => {
    const { refusals } = await importing('broken-contradictions.csv', { keepGood: true });
    expect(refusals).toEqual([
      {
        line: 3,
        column: 'TermDuration',
        value: 'OneTime',
        reason: 'line 2 has P3Y for the same SKU; a SKU is perpetual or has terms',
      },
      { line: 6, column: 'UnitPrice', value: '5200.00', reason: expect.stringContaining('line 4 has 5100.00') },
    ]);
    expect(await pricesOf('DG7GMGF0D65N', '0002')).toMatchObject([{ price: '5100.00' }]);
  });

  test('a SKU that the catalog has without a term is refused with one', async () => {
    await importing('software-us.csv');
    await sql(`delete from prices where sku_id = (select id from skus where sku_id = '000C')`);
    await sql(`update skus set term_duration = null, kind = 'PERPETUAL_SOFTWARE' where sku_id = '000C'`);
    const { refusals } = await importing('software-us.csv');
    expect(refusals).toEqual([
      expect.objectContaining({
        line: 11,
        value: 'P3Y',
        reason: 'the catalog has OneTime for the same SKU; a SKU is perpetual or has terms',
      }),
    ]);
  });
});

describe('a file is refused as a whole', () => {
  test.each([
    [
      'broken-azure-sheet.csv',
      /columns are missing: BillingPlan, ERP Price; columns are unknown: "MeterId", "MeterType"/,
    ],
    ['broken-semicolons.csv', /not comma-separated/],
    ['broken-empty.csv', /is empty/],
    ['broken-only-header.csv', /holds no rows/],
    ['broken-two-lists.zip', /more than one .csv/],
    ['broken-no-list.zip', /no .csv/],
    ['broken-huge.zip', /more than 1 GiB/],
    ['no-such-file.csv', /cannot be opened/],
  ])('%s', async (file, message) => {
    await expect(importing(file)).rejects.toThrow(message);
    // The connection was left clean: the next import works.
    expect((await importing('software-us.csv')).summary.kept).toBe(true);
  });

  test('where the database has no markets yet', async () => {
    await sql('delete from markets');
    await expect(importing('software-us.csv')).rejects.toThrow(/Start the gateway once/);
  });
});

test('the summary is a table and a sentence', async () => {
  const { summary } = await importing('broken-rows.csv', { keepGood: true });
  expect(summaryText('broken-rows.csv', summary, { keepGood: true })).toBe(
    [
      'broken-rows.csv: 30 rows, 28 refused, 0 repeated',
      '                  new    changed  unchanged',
      'products            2          0          0',
      'SKUs                2          0          0',
      'prices              2          0          0',
      'Kept, without the 28 rows that were refused.',
    ].join('\n'),
  );
});

describe('the command', () => {
  const keys = [key('k1', 1)];
  let databases: SharedDatabases;
  beforeAll(() => {
    databases = new SharedDatabases();
  });
  afterAll(() => databases.drop());

  test('writes down who imported which list and what came of it; nothing where nothing is kept or changed', async () => {
    const shared = await databases.open();
    const file = 'test/partner-center/price-lists/software-us.csv';
    const run = (...args: string[]) => shared.spawn('cli/import-price-list', keys, file, ...args).ended;
    expect(await run('--dry-run')).toMatchObject({ code: 0 });
    expect(await run('--begins', '2025-06-01')).toMatchObject({ code: 0 });
    expect(await run('--begins', '2025-06-01')).toMatchObject({ code: 0 });
    await shared.serve(keys, async (gateway) => {
      const [prices] = await gateway.sql<{ n: number }>('select count(*)::int as n from prices');
      expect(await entriesOf(gateway, { actions: ['FILE_IMPORTED'] })).toMatchObject([
        {
          outcome: 'SUCCEEDED',
          actor: { role: 'OPERATOR', application: 'npm run import:price-list' },
          customer: null,
          resource: { type: 'FILE', label: 'software-us.csv' },
          detail: {
            importKind: 'PRICE_LIST',
            sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
            ...{ rows: 15, refused: 0, added: prices?.n, changed: 0, removed: 0 },
          },
        },
      ]);
    });
  });
});
