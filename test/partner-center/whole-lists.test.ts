import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DateOrder } from '../../src/partner-center/files/dates.js';
import {
  type ImportOptions,
  importPriceList,
  type Refusal,
} from '../../src/partner-center/price-list/import-price-list.js';
import { readPriceList } from '../../src/partner-center/price-list/read-price-list.js';
import { OffersDocument, PurchaseDocument } from '../generated/graphql.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, aPrice, aSkuOf, type TestCustomer } from '../support/shop.js';

/** Cells of a row by column; what is left out is as in `usual`. */
type Row = Record<string, string>;
const OPEN = '9999-11-30T23:59:59.0000000Z';
const usual: Row = {
  ChangeIndicator: 'Unchanged',
  ProductTitle: 'Contoso "Writer", standard',
  ProductId: '',
  SkuId: '1',
  SkuTitle: 'Contoso Writer',
  Publisher: 'Contoso',
  SkuDescription: '',
  UnitOfMeasure: '',
  TermDuration: 'P1Y',
  BillingPlan: 'Annual',
  Market: 'US',
  Currency: 'USD',
  UnitPrice: '120',
  PricingTierRangeMin: '',
  PricingTierRangeMax: '',
  EffectiveStartDate: '2025-04-01T00:00:00.0000000Z',
  EffectiveEndDate: OPEN,
  Tags: 'Software;Subscription',
  'ERP Price': '150',
  Segment: 'Commercial',
  PreviousValues: "{'ERP Price': '12.3', 'UnitPrice': '9.9'}",
};
const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

describe(`price lists as wholes, and as they are downloaded, on ${engine}`, () => {
  let gateway: TestGateway;
  let folder: string;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway();
    folder = await mkdtemp(join(tmpdir(), 'price-lists-'));
    customer = await aCustomer(gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  const aProduct = () => randomUUID().replaceAll('-', '').slice(0, 12).toUpperCase();
  const csv = (rows: Row[], newLine = '\n') => {
    const columns = [...new Set([...Object.keys(usual), ...rows.flatMap(Object.keys)])];
    const lines = rows.map((row) => columns.map((column) => cell(row[column] ?? usual[column] ?? '')).join(','));
    return `\ufeff${[columns.join(','), ...lines].join(newLine)}${newLine}`;
  };
  const importing = async (
    content: string | Row[],
    { dates, ...options }: ImportOptions & { dates?: DateOrder } = {},
  ) => {
    const file = join(folder, `${randomUUID()}.csv`);
    await writeFile(file, typeof content === 'string' ? content : csv(content));
    const refusals: Refusal[] = [];
    const warnings: string[] = [];
    const { orm } = gateway.gateway.services;
    const summary = await importPriceList(orm, readPriceList(file, undefined, dates), {
      ...options,
      onRefusal: (refusal) => refusals.push(refusal),
      onWarning: (warning) => warnings.push(warning),
    });
    return { summary, refusals, warnings };
  };
  type Choice = { termDuration?: string; billingPlan?: 'ONE_TIME' | 'MONTHLY' | 'ANNUAL' | 'TRIENNIAL' };
  const offersOf = async (ProductId: string, quantity = 1, choice: Choice = {}) => {
    const { data, errors } = await gateway.run(
      OffersDocument,
      { productId: ProductId, market: 'US', quantity, ...choice },
      'ADMIN_AGENT',
    );
    expect(errors).toBeUndefined();
    return data.product?.skus[0];
  };
  /** What a purchase charges for one unit, held against what the catalog says; null where it is not sold. */
  const unitPrice = async (ProductId: string, quantity = 1, choice: Choice = {}) => {
    const lines = [{ productId: ProductId, skuId: '0001', quantity, ...choice }];
    const { data, errors } = await gateway.run(
      PurchaseDocument,
      { input: { idempotencyKey: randomUUID(), customerId: customer.id, lines } },
      'ADMIN_AGENT',
    );
    expect(errors).toBeUndefined();
    const bought = data.purchase?.__typename === 'PurchaseSuccess' ? data.purchase.order.lines[0]?.unitPrice : null;
    expect((await offersOf(ProductId, quantity, choice))?.price?.unitPrice.amount).toBe(bought?.amount);
    return bought?.amount ?? null;
  };

  test('rule 3: tiers that a newer list no longer has end: 60 pieces cost what the list says', async () => {
    const ProductId = aProduct();
    const tier = { ProductId, UnitPrice: '80', PricingTierRangeMin: '50' };
    await importing([{ ProductId, PricingTierRangeMin: '1', PricingTierRangeMax: '49' }, tier]);
    expect([await unitPrice(ProductId, 49), await unitPrice(ProductId, 60)]).toEqual(['120.00', '80.00']);
    const { summary } = await importing([{ ProductId }]);
    expect(summary).toMatchObject({ endedPrices: 2, kept: true });
    expect([await unitPrice(ProductId, 49), await unitPrice(ProductId, 60)]).toEqual(['120.00', '120.00']);
  });

  test('rule 3: what the next list lacks ends where that begins, and what it has from a later day on holds until then', async () => {
    const [stays, goes, changes] = [aProduct(), aProduct(), aProduct()];
    const begins = new Date('2026-10-01T00:00:00Z');
    await importing(
      [stays, goes, changes].map((ProductId) => ({ ProductId })),
      { begins: new Date('2026-09-01T00:00:00Z') },
    );
    const { summary } = await importing(
      [
        { ProductId: stays },
        { ProductId: changes, UnitPrice: '130', EffectiveStartDate: '2026-11-01T00:00:00.0000000Z' },
      ],
      { begins },
    );
    expect(summary).toMatchObject({
      prices: { NEW: 1, CHANGED: 0, UNCHANGED: 1 },
      lists: [{ view: 'SOFTWARE', market: 'US', currency: 'USD', begins: '2026-10-01' }],
    });
    expect([await unitPrice(stays), await unitPrice(goes), await unitPrice(changes)]).toEqual([
      '120.00',
      null,
      '130.00',
    ]);
    const ends = await gateway.sql(
      `select p.product_id as id, to_char(effective_end_date at time zone 'UTC', 'YYYY-MM-DD') as "end" from prices
       join skus s on s.id = prices.sku_id join products p on p.id = s.product_id where p.product_id in (?, ?, ?) order by effective_end_date`,
      [stays, goes, changes],
    );
    expect(ends).toEqual([
      { id: goes, end: '2026-10-01' },
      { id: changes, end: '2026-11-01' },
      ...[expect.objectContaining({ end: '9999-11-30' }), expect.objectContaining({ end: '9999-11-30' })],
    ]);
  });

  test('rule 3: a list says nothing about another market, currency or view; an invented price ends with it', async () => {
    const [ProductId, license, german] = [aProduct(), aProduct(), aProduct()];
    const reservation = await aSkuOf(gateway, 'AZURE_RESERVATION');
    const invented = await aSkuOf(gateway, 'PERPETUAL_SOFTWARE');
    for (const sku of [reservation, invented]) await aPrice(gateway, sku, '7.00');
    await importing([{ ProductId: license, Tags: 'License' }]);
    await importing([{ ProductId: german, Market: 'DE', Currency: 'EUR' }]);
    await importing([{ ProductId }]);
    expect(await unitPrice(license)).toBe('120.00');
    const alive = await gateway.sql<{ id: string }>(
      `select p.product_id || ':' || s.sku_id as id from prices join skus s on s.id = prices.sku_id join products p on p.id = s.product_id
       where effective_end_date > now() and p.product_id in (?, ?, ?, ?, ?)`,
      [ProductId, license, german, reservation.productId, invented.productId],
    );
    const ids = [
      `${ProductId}:0001`,
      `${license}:0001`,
      `${german}:0001`,
      `${reservation.productId}:${reservation.skuId}`,
    ];
    expect(alive.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });

  test('rule 3: what a list marks as removed is sold no more, though it comes without a price', async () => {
    const [ProductId, other] = [aProduct(), aProduct()];
    await importing([{ ProductId }, { ProductId: other }]);
    const { summary } = await importing([
      { ProductId, ChangeIndicator: 'Delete', UnitPrice: '', 'ERP Price': '' },
      { ProductId: other, ChangeIndicator: 'Change', UnitPrice: '125' },
    ]);
    expect(summary).toMatchObject({ rows: 2, removedRows: 1, endedPrices: 1, repeatedRows: 0 });
    expect([await unitPrice(ProductId), await unitPrice(other)]).toEqual([null, '125.00']);
    expect((await importing([{ ProductId: other, ChangeIndicator: 'Perhaps' }])).refusals).toMatchObject([
      { column: 'ChangeIndicator', value: 'Perhaps' },
    ]);
  });

  test('rule 3: a list of which rows were refused ends nothing, and one that is told to be older is refused', async () => {
    const [ProductId, other] = [aProduct(), aProduct()];
    await importing([{ ProductId }], { begins: new Date('2026-11-01T00:00:00Z') });
    const { summary } = await importing([{ ProductId: other }, { ProductId, UnitPrice: 'free' }], { keepGood: true });
    expect(summary).toMatchObject({ refusedRows: 1, endedPrices: 0, kept: true });
    expect([await unitPrice(ProductId), await unitPrice(other)]).toEqual(['120.00', '120.00']);
    await expect(importing([{ ProductId }], { begins: new Date('2026-10-01T00:00:00Z') })).rejects.toThrow(
      /newer list already: SOFTWARE of US in USD since 2026-11-01, and this one begins on 2026-10-01/,
    );
  });

  test('rule 3: tiers that overlap are refused, with the line of the other', async () => {
    const ProductId = aProduct();
    const tiers = [
      ['1', '49'],
      ['40', '99'],
      ['100', ''],
    ].map(([PricingTierRangeMin = '', PricingTierRangeMax = '']) => ({
      ProductId,
      PricingTierRangeMin,
      PricingTierRangeMax,
    }));
    expect((await importing(tiers)).refusals).toEqual([
      {
        line: 3,
        column: 'PricingTierRangeMin',
        value: '40 to 99',
        reason: 'line 2 has 1 to 49 for the same price: tiers must not overlap',
      },
    ]);
    expect((await importing(tiers.slice(1))).summary).toMatchObject({ refusedRows: 0, prices: { NEW: 2 } });
    // A price of any quantity beside one of a tier.
    const Other = aProduct();
    expect((await importing([{ ProductId: Other }, { ...tiers[2], ProductId: Other }])).refusals).toEqual([
      {
        line: 3,
        column: 'PricingTierRangeMin',
        value: '100 and more',
        reason: 'line 2 has 1 and more for the same price: tiers must not overlap',
      },
    ]);
  });

  test('rule 3: one SKU is sold for several terms and billing plans, each at its own price', async () => {
    const ProductId = aProduct();
    const { summary } = await importing([
      { ProductId, TermDuration: 'P1Y', BillingPlan: 'Annual', UnitPrice: '120' },
      { ProductId, TermDuration: 'P1Y', BillingPlan: 'Monthly', UnitPrice: '126' },
      { ProductId, TermDuration: 'P3Y', BillingPlan: 'Triennial', UnitPrice: '360' },
      { ProductId, TermDuration: 'P1M', BillingPlan: 'None', UnitPrice: '0' },
    ]);
    expect(summary).toMatchObject({ refusedRows: 0, skus: { NEW: 1 }, prices: { NEW: 4 } });
    expect((await offersOf(ProductId))?.prices).toMatchObject([
      { termDuration: 'P1M', billingPlan: 'ONE_TIME', unitPrice: { amount: '0.00' }, erpPrice: { amount: '150.00' } },
      { termDuration: 'P1Y', billingPlan: 'ANNUAL', unitPrice: { amount: '120.00' } },
      { termDuration: 'P1Y', billingPlan: 'MONTHLY', unitPrice: { amount: '126.00' } },
      { termDuration: 'P3Y', billingPlan: 'TRIENNIAL', unitPrice: { amount: '360.00' } },
    ]);
    expect(await unitPrice(ProductId)).toBe('120.00');
    expect(await unitPrice(ProductId, 1, { billingPlan: 'MONTHLY' })).toBe('126.00');
    expect(await unitPrice(ProductId, 1, { termDuration: 'P3Y', billingPlan: 'TRIENNIAL' })).toBe('360.00');
    const [line] = await gateway.sql(
      `select billing_plan as plan, term_end - term_start > 1000 as "isLong" from order_lines order by unit_price desc limit 1`,
    );
    expect(line).toEqual({ plan: 'TRIENNIAL', isLong: true });
    const asked = { productId: ProductId, skuId: '0001', quantity: 1, termDuration: 'P3Y' };
    const { data } = await gateway.run(
      PurchaseDocument,
      { input: { idempotencyKey: randomUUID(), customerId: customer.id, lines: [asked] } },
      'ADMIN_AGENT',
    );
    expect(data.purchase).toMatchObject({
      __typename: 'PriceNotFound',
      message: expect.stringContaining('P3Y ANNUAL, in this quantity. Sold there: P1M ONE_TIME; P1Y ANNUAL'),
    });
  });

  test('the file of 2025 goes in as it is: columns of its own are passed over aloud, blank tiers and zeros that are missing are none', async () => {
    const ProductId = aProduct();
    const row = {
      ProductId,
      EndofSaleDate: '',
      'Next Thing': 'x',
      PricingTierRangeMax: '9223372036854780000',
      UnitPrice: '9.5',
    };
    const { summary, warnings } = await importing([row]);
    expect(warnings).toEqual(['columns were passed over: "PreviousValues", "EndofSaleDate", "Next Thing"']);
    expect(summary).toMatchObject({ rows: 1, refusedRows: 0, kept: true });
    expect((await offersOf(ProductId))?.prices).toMatchObject([
      { unitPrice: { amount: '9.50' }, erpPrice: { amount: '150.00' }, minimumQuantity: 1, maximumQuantity: null },
    ]);
  });

  test.each([
    ['a doubled byte order mark', (text: string) => `\ufeff${text}`],
    ['sep=, above the header', (text: string) => text.replace('\ufeff', '\ufeffsep=,\r\n')],
    ['a quoted "sep=,"', (text: string) => text.replace('\ufeff', '"sep=,"\n')],
  ])('%s is read for what it is', async (_, change) => {
    const ProductId = aProduct();
    expect(
      (await importing(change(csv([{ ProductId }, { ProductId: 'rubbish' }])), { keepGood: true })).refusals,
    ).toMatchObject([{ line: change('\ufeff') === '\ufeff\ufeff' ? 3 : 4, column: 'ProductId' }]);
    expect(await unitPrice(ProductId)).toBe('120.00');
  });

  test.each<[string, string, DateOrder | undefined, string | null]>([
    // start, end, what the reader says, the day that is kept; null: refused
    ['3/1/2025 12:00:00\u202fAM', '11/30/9999 11:59:59\u202fPM', undefined, '2025-03-01'],
    ['3/1/2025 0:00', '11/30/9999 23:59', undefined, '2025-03-01'],
    ['3/1/2025 0:00', '30/11/9999 23:59', undefined, '2025-01-03'],
    ['3/1/2025 0:00', OPEN, undefined, null],
    ['3/1/2025 0:00', OPEN, 'month-first', '2025-03-01'],
    ['3/1/2025 0:00', OPEN, 'day-first', '2025-01-03'],
    ['3/3/2025 0:00', OPEN, undefined, '2025-03-03'],
  ])('%j to %j, where the reader says %s, begins on %s', async (EffectiveStartDate, EffectiveEndDate, dates, day) => {
    const ProductId = aProduct();
    const { refusals } = await importing([{ ProductId, EffectiveStartDate, EffectiveEndDate }], dates ? { dates } : {});
    const kept = await gateway.sql(
      `select (effective_start_date at time zone 'UTC')::date::text as day from prices join skus s on s.id = prices.sku_id join products p on p.id = s.product_id where p.product_id = ?`,
      [ProductId],
    );
    expect(kept.map((price) => price['day'])).toEqual(day ? [day] : []);
    if (!day) expect(refusals).toMatchObject([{ reason: expect.stringContaining('--dates month-first or day-first') }]);
  });
});
