import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { toGlobalId } from '../../../src/domain/global-id.js';
import {
  InvoicesDocument,
  MarketsDocument,
  OrderDocument,
  PurchaseDocument,
  PurchasedDocument,
  PurchasePreviewDocument,
  SalesDocument,
} from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, aSku, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

type Line = { productId: string; skuId: string; quantity: number };

describe(`purchase, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock: Date;
  beforeAll(async () => {
    gateway = await startTestGateway({ now: () => clock });
    await stockShop(gateway);
  });
  beforeEach(() => {
    clock = new Date('2026-07-15T10:00:00Z');
  });
  afterAll(() => gateway.stop());

  const ask = (
    customer: TestCustomer,
    lines: Line[],
    {
      currency,
      key = randomUUID(),
      as = 'ADMIN_AGENT' as Caller | null,
    }: { currency?: string; key?: string; as?: Caller | null } = {},
  ) => gateway.run(PurchaseDocument, { input: { idempotencyKey: key, customerId: customer.id, currency, lines } }, as);
  const answer = async (...args: Parameters<typeof ask>) => {
    const { data, errors } = await ask(...args);
    expect(errors).toBeUndefined();
    return data.purchase;
  };
  /** What a purchase of one unit costs, or the problem's type. */
  const unitPrice = async (
    customer: TestCustomer,
    sku: typeof skus.perpetual | Omit<Line, 'quantity'>,
    currency?: string,
    quantity = 1,
  ) => {
    const result = await answer(customer, [{ ...sku, quantity }], { currency });
    return result?.__typename === 'PurchaseSuccess' ? result.order.lines[0]?.unitPrice : result?.__typename;
  };
  const traces = async (customer: TestCustomer) => {
    const [counts] = await gateway.sql(
      `select (select count(*)::int from orders where customer_id = ?) as orders,
        (select count(*)::int from order_lines l join orders o on o.id = l.order_id where o.customer_id = ?) as lines,
        (select count(*)::int from entitlements where customer_id = ?) as entitlements,
        (select count(*)::int from invoices where customer_id = ?) as invoices,
        (select count(*)::int from activity_entries where customer_id = ?) as entries`,
      Array(5).fill(customer.rowId),
    );
    return counts;
  };
  const nothing = { orders: 0, lines: 0, entitlements: 0, invoices: 0, entries: 0 };

  test('rule 1: a reservation is refused in a closed market, with market, kind and line, and the whole order with it', async () => {
    const customer = await aCustomer(gateway, { market: 'AZ' });
    await aPrice(gateway, skus.reservation, '2400.00', { market: 'AZ' });
    await aPrice(gateway, skus.perpetual, '100.00', { market: 'AZ' });
    expect(
      await answer(customer, [
        { ...skus.perpetual, quantity: 1 },
        { ...skus.reservation, quantity: 1 },
      ]),
    ).toMatchObject({
      __typename: 'ProductNotAvailableInMarket',
      code: 'PRODUCT_NOT_AVAILABLE_IN_MARKET',
      market: 'AZ',
      kind: 'AZURE_RESERVATION',
      lineIndex: 1,
    });
    expect(await traces(customer)).toEqual(nothing);
    expect(await unitPrice(customer, skus.perpetual)).toEqual({ amount: '100.00', currency: 'USD' });
  });

  test('rule 1: a reservation is sold in an open market', async () => {
    expect(await unitPrice(await aCustomer(gateway), skus.reservation)).toEqual({ amount: '2400.00', currency: 'USD' });
  });

  test('rule 1: what is closed is data per kind: a row opens and closes a market for purchase and list alike', async () => {
    const closedTo = async (code: string) =>
      (await gateway.run(MarketsDocument, {}, null)).data.markets.find((market) => market.code === code)?.closedTo;
    const customer = await aCustomer(gateway, { market: 'RU' });
    await aPrice(gateway, skus.subscription, '50.00', { market: 'RU' });
    await aPrice(gateway, skus.reservation, '60.00', { market: 'RU' });
    expect(await closedTo('RU')).toEqual([]);
    await gateway.sql(
      `insert into market_closures (market_code, kind, effective_date) values ('RU', 'SOFTWARE_SUBSCRIPTION', '2020-01-01')`,
    );
    expect(await unitPrice(customer, skus.subscription)).toBe('ProductNotAvailableInMarket');
    expect(await unitPrice(customer, skus.reservation)).toMatchObject({ amount: '60.00' });
    expect(await closedTo('RU')).toEqual(['SOFTWARE_SUBSCRIPTION']);
    await gateway.sql(`delete from market_closures where market_code = 'RU'`);
    expect(await unitPrice(customer, skus.subscription)).toMatchObject({ amount: '50.00' });
  });

  test.each([
    ['AU', 'AUD', true],
    ['BR', 'BRL', true],
    ['JP', 'JPY', false],
    ['US', 'USD', false],
  ])('rule 2: in %s prices are in %s and tax included is %s', async (market, currency, taxIncluded) => {
    const customer = await aCustomer(gateway, { market });
    if (market !== 'US') await aPrice(gateway, skus.perpetual, '1000', { market, currency });
    const result = await answer(customer, [{ ...skus.perpetual, quantity: 1 }]);
    expect(result).toMatchObject({ order: { taxIncluded, total: { currency } } });
  });

  test.each([
    // currency, price, unit price of the sale, total of 1,000
    ['USD', '12.3456', '12.34', '12340.00'],
    ['JPY', '1500.9999', '1500', '1500000'],
    ['HUF', '4999.999', '4999.99', '4999990.00'],
    ['IQD', '7.7777', '7.777', '7777.000'],
    ['CLF', '0.0035', '0.0035', '3.5000'],
    ['KRW', '0.9999', '0', '0'],
  ])(
    'rule 16: in %s a price of %s is cut to the minor unit, %s, before it is multiplied, and nothing finer is booked',
    async (currency, price, unit, total) => {
      const customer = await aCustomer(gateway);
      const sku = await aSku(gateway);
      await aPrice(gateway, sku, price, { currency });
      expect(await answer(customer, [{ ...sku, quantity: 1_000 }], { currency })).toMatchObject({
        order: {
          lines: [{ unitPrice: { amount: unit }, total: { amount: total } }],
          total: { amount: total, currency },
        },
      });
      const { data } = await gateway.run(InvoicesDocument, { filter: { customerId: customer.id } }, 'BILLING_ADMIN');
      expect(data.invoices?.nodes).toMatchObject([
        { total: { amount: total }, lines: [{ unitAmount: { amount: unit }, amount: { amount: total } }] },
      ]);
    },
  );

  test('rule 3: the largest price is multiplied to the last digit', async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '99999999999999.9999');
    const result = await answer(await aCustomer(gateway), [{ ...sku, quantity: 9_999 }]);
    expect(result).toMatchObject({ order: { total: { amount: '999899999999999900.01' } } });
  });

  test('rule 3: the price is the one valid at the time of sale, and stays that of the order', async () => {
    const sku = await aSku(gateway);
    const customer = await aCustomer(gateway);
    await aPrice(gateway, sku, '10.00', { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' });
    await aPrice(gateway, sku, '12.00', { from: '2026-04-01T00:00:00Z', to: '2026-05-01T00:00:00Z' });
    const at = async (instant: string) => {
      clock = new Date(instant);
      return unitPrice(customer, sku);
    };
    expect(await at('2026-02-28T23:59:59.999Z')).toBe('PriceNotFound');
    expect(await at('2026-03-01T00:00:00.000Z')).toMatchObject({ amount: '10.00' });
    expect(await at('2026-03-31T23:59:59.999Z')).toMatchObject({ amount: '10.00' });
    expect(await at('2026-04-01T00:00:00.000Z')).toMatchObject({ amount: '12.00' });
    expect(await at('2026-05-01T00:00:00.000Z')).toBe('PriceNotFound');
    await gateway.sql(
      'update prices set unit_price = 99 where sku_id = (select s.id from skus s join products p on p.id = s.product_id where p.product_id = ?)',
      [sku.productId],
    );
    const bought = await gateway.sql(
      'select l.unit_price as price from order_lines l join orders o on o.id = l.order_id where o.customer_id = ? order by o.placed_at',
      [customer.rowId],
    );
    expect(bought.map((line) => line['price'])).toEqual(['10.00', '10.00', '12.00']);
  });

  test('rule 3: on overlap the price that ends last wins, whatever it costs and whenever it began', async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '20.00', { from: '2026-07-01T00:00:00Z', to: '2026-08-01T00:00:00Z' });
    await aPrice(gateway, sku, '30.00', { from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' });
    await aPrice(gateway, sku, '10.00', { from: '2026-07-10T00:00:00Z', to: '2026-07-20T00:00:00Z' });
    expect(await unitPrice(await aCustomer(gateway), sku)).toMatchObject({ amount: '30.00' });
  });

  test("rule 3: the price is of the customer's segment, and no other segment's price stands in", async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '40.00');
    await aPrice(gateway, sku, '15.00', { segment: 'EDUCATION' });
    expect(await unitPrice(await aCustomer(gateway), sku)).toMatchObject({ amount: '40.00' });
    expect(await unitPrice(await aCustomer(gateway, { segment: 'EDUCATION' }), sku)).toMatchObject({ amount: '15.00' });
    expect(await unitPrice(await aCustomer(gateway, { segment: 'CHARITY' }), sku)).toBe('PriceNotFound');
  });

  test("rule 3: the currency is the market's first unless named; where it has no price, the problem names those sold in", async () => {
    const sku = await aSku(gateway);
    const customer = await aCustomer(gateway, { market: 'CH' });
    await aPrice(gateway, sku, '70.00', { market: 'CH', currency: 'CHF' });
    await aPrice(gateway, sku, '65.00', { market: 'CH', currency: 'EUR' });
    await aPrice(gateway, sku, '1.00', { market: 'DE', currency: 'GBP' });
    expect(await unitPrice(customer, sku)).toEqual({ amount: '70.00', currency: 'CHF' });
    expect(await unitPrice(customer, sku, 'EUR')).toEqual({ amount: '65.00', currency: 'EUR' });
    expect(await answer(customer, [{ ...sku, quantity: 1 }], { currency: 'GBP' })).toMatchObject({
      __typename: 'PriceNotFound',
      lineIndex: 0,
      market: 'CH',
      currency: 'GBP',
      currencies: expect.arrayContaining(['CHF', 'EUR']),
    });
  });

  test('rule 3: a pricing tier holds for its quantities, both ends included', async () => {
    const sku = await aSku(gateway);
    const customer = await aCustomer(gateway);
    await aPrice(gateway, sku, '10.00', { tierMin: 1, tierMax: 9 });
    await aPrice(gateway, sku, '8.00', { tierMin: 10, tierMax: 99 });
    await aPrice(gateway, sku, '5.00', { tierMin: 100 });
    const of = (quantity: number) => unitPrice(customer, sku, undefined, quantity);
    expect(await of(1)).toMatchObject({ amount: '10.00' });
    expect(await of(9)).toMatchObject({ amount: '10.00' });
    expect(await of(10)).toMatchObject({ amount: '8.00' });
    expect(await of(99)).toMatchObject({ amount: '8.00' });
    expect(await of(100)).toMatchObject({ amount: '5.00' });
  });

  test('rule 3: where a tier and an untiered price are else equal, the tier wins', async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '10.00');
    await aPrice(gateway, sku, '8.00', { tierMin: 10 });
    const customer = await aCustomer(gateway);
    expect(await unitPrice(customer, sku, undefined, 9)).toMatchObject({ amount: '10.00' });
    expect(await unitPrice(customer, sku, undefined, 10)).toMatchObject({ amount: '8.00' });
  });

  test('rule 3: purchasePreview answers what purchase charges, to the cent and with the same problems, and writes nothing', async () => {
    const [tiered, fine] = [await aSku(gateway), await aSku(gateway, { term: 'P1Y', maximum: 50 })];
    for (const [price, tierMin, tierMax] of [
      ['10.00', 1, 9],
      ['8.5555', 10, null],
    ] as const)
      await aPrice(gateway, tiered, price, { market: 'AU', currency: 'AUD', tierMin, tierMax });
    await aPrice(gateway, fine, '99.999', { market: 'AU', currency: 'AUD' });
    const customer = await aCustomer(gateway, { market: 'AU' });
    const previewOf = async (lines: Line[], currency?: string) => {
      const input = { customerId: customer.id, currency, lines };
      const { data, errors } = await gateway.run(PurchasePreviewDocument, { input }, 'ADMIN_AGENT');
      expect(errors).toBeUndefined();
      return data.purchasePreview;
    };
    const lines = [
      { ...tiered, quantity: 9 },
      { ...tiered, quantity: 10 },
      { ...fine, quantity: 3 },
    ];
    const preview = await previewOf(lines);
    expect(preview).toMatchObject({
      allowed: true,
      problem: null,
      taxIncluded: true,
      pricedAt: '2026-07-15T10:00:00.000Z',
      total: { amount: '475.47', currency: 'AUD' },
      lines: [
        { lineIndex: 0, unitPrice: { amount: '10.00' }, total: { amount: '90.00' }, termDuration: 'P1M' },
        { lineIndex: 1, unitPrice: { amount: '8.55' }, total: { amount: '85.50' } },
        { lineIndex: 2, unitPrice: { amount: '99.99' }, total: { amount: '299.97' }, term: { end: '2027-07-14' } },
      ],
    });
    expect(await traces(customer)).toEqual(nothing);
    const bought = await buy(gateway, customer, lines);
    expect(bought.total).toEqual(preview?.total);
    expect(bought.lines.map((line) => [line.unitPrice, line.total])).toEqual(
      preview?.lines.map((line) => [line.unitPrice, line.total]),
    );
    const refused: [Line[], string | undefined][] = [
      [[{ ...fine, quantity: 51 }], undefined],
      [[{ ...fine, skuId: 'ZZZZ', quantity: 1 }], undefined],
      [[{ ...tiered, quantity: 1 }], 'EUR'],
    ];
    for (const [wrong, currency] of refused) {
      const { problem, ...rest } = (await previewOf(wrong, currency)) ?? {};
      expect(rest).toMatchObject({ allowed: false, total: null, lines: [] });
      expect(await answer(customer, wrong, currency ? { currency } : {})).toMatchObject({ ...problem });
    }
  });

  test.each([...Object.values(Role), 'anonymous' as const])('rule 4: whether %s may buy', async (role) => {
    const customer = await aCustomer(gateway);
    const as =
      role === 'anonymous' ? null : role === 'CUSTOMER_ADMIN' ? { token: await gateway.token(role, customer) } : role;
    const { data, errors } = await ask(customer, [{ ...skus.perpetual, quantity: 1 }], { as });
    if (role === 'ADMIN_AGENT' || role === 'GLOBAL_ADMIN') {
      expect(data.purchase?.__typename).toBe('PurchaseSuccess');
    } else {
      expect(data.purchase).toBeNull();
      expect(errors?.map((error) => error.extensions.code)).toEqual([as ? 'FORBIDDEN' : 'UNAUTHENTICATED']);
      expect((await traces(customer))?.['orders']).toBe(0);
    }
  });

  test('rule 4: several lines, one SKU twice, become lines in order with window, term, entitlement and charge', async () => {
    const customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, [
      { ...skus.perpetual, quantity: 2 },
      { ...skus.subscription, quantity: 1 },
      { ...skus.perpetual, quantity: 3 },
      { ...skus.reservation, quantity: 1 },
    ]);
    expect(order).toMatchObject({
      status: 'COMPLETED',
      placedBy: 'agent.anna@partner.example',
      total: { amount: '87442.00', currency: 'USD' },
      lines: [{ term: null }, { term: { start: '2026-07-15', end: '2029-07-14' } }, { term: null }, {}],
    });
    const { data } = await gateway.run(PurchasedDocument, { id: order.id }, 'ADMIN_AGENT');
    const until = '2026-08-14T23:59:00.000Z';
    const software = {
      cancellableUntil: until,
      term: null,
      entitlement: { status: 'ACTIVE', expiresAt: null, term: null },
    };
    const term = { start: '2026-07-15', end: '2029-07-14' };
    expect(data.order).toMatchObject({
      placedAt: '2026-07-15T10:00:00.000Z',
      market: { code: 'US' },
      lines: [
        { lineNumber: 0, quantity: 2, termStart: null, termEnd: null, ...software },
        {
          lineNumber: 1,
          termStart: '2026-07-15',
          termEnd: '2029-07-14',
          term,
          cancellableUntil: until,
          entitlement: { quantity: 1, expiresAt: '2029-07-15T00:00:00.000Z', term },
        },
        { lineNumber: 2, quantity: 3, ...software },
        { lineNumber: 3, cancellableUntil: null, isCancellable: false },
      ],
    });
    const invoices = await gateway.run(InvoicesDocument, { filter: { customerId: customer.id } }, 'BILLING_ADMIN');
    expect(invoices.data.invoices?.nodes).toMatchObject([{ periodStart: '2026-07-01', total: { amount: '87442.00' } }]);
    expect(await traces(customer)).toEqual({ orders: 1, lines: 4, entitlements: 4, invoices: 1, entries: 2 });
  });

  test("rule 4: a quantity is within the SKU's bounds, both ends included", async () => {
    const sku = await aSku(gateway, { minimum: 5, maximum: 25 });
    await aPrice(gateway, sku, '1.00');
    const customer = await aCustomer(gateway);
    for (const quantity of [4, 26])
      expect(await answer(customer, [{ ...sku, quantity }])).toMatchObject({
        __typename: 'QuantityOutOfBounds',
        lineIndex: 0,
        minimum: 5,
        maximum: 25,
      });
    const largest = 2 ** 31 - 1;
    expect(await answer(customer, [{ ...sku, quantity: largest }])).toMatchObject({ maximum: 25 });
    const endless = await aSku(gateway, { maximum: largest });
    await aPrice(gateway, endless, '1.00');
    expect(await answer(customer, Array(2).fill({ ...endless, quantity: largest }))).toMatchObject({
      order: { lines: [{ quantity: largest }, { quantity: largest }], total: { amount: '4294967294.00' } },
    });
    const { data } = await gateway.run(
      SalesDocument,
      { groupBy: ['CUSTOMER'], filter: { customerId: customer.id } },
      'GLOBAL_ADMIN',
    );
    expect(data.sales).toMatchObject([{ count: 2, quantity: 2 * largest, gross: { amount: '4294967294.00' } }]);
    for (const quantity of [5, 25])
      expect(await unitPrice(customer, sku, undefined, quantity)).toMatchObject({ amount: '1.00' });
  });

  test.each<[string, Partial<{ lines: Line[]; currency: string; key: string }>]>([
    ['input.lines.0.quantity', { lines: [{ ...skus.perpetual, quantity: 0 }] }],
    [
      'input.lines.1.quantity',
      {
        lines: [
          { ...skus.perpetual, quantity: 1 },
          { ...skus.perpetual, quantity: -1 },
        ],
      },
    ],
    ['input.lines.0.skuId', { lines: [{ ...skus.perpetual, skuId: '1', quantity: 1 }] }],
    ['input.lines.0.productId', { lines: [{ ...skus.perpetual, productId: 'dg7gmgf0fkzv', quantity: 1 }] }],
    ['input.lines', { lines: [] }],
    ['input.lines', { lines: Array(51).fill({ ...skus.perpetual, quantity: 1 }) }],
    ['input.currency', { currency: 'dollars' }],
    ['input.idempotencyKey', { key: '' }],
    ['input.idempotencyKey', { key: 'with blanks' }],
    ['input.idempotencyKey', { key: 'x'.repeat(256) }],
  ])(
    'rule 4: %s of a wrong form is told by its path',
    async (field, { lines = [{ ...skus.perpetual, quantity: 1 }], ...options }) => {
      const { data, errors } = await ask(await aCustomer(gateway), lines, options);
      expect(data.purchase).toBeNull();
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
    },
  );

  test('rule 4: an unknown SKU or customer is a problem, an id of something else an input error', async () => {
    const customer = await aCustomer(gateway);
    expect(await answer(customer, [{ ...skus.perpetual, skuId: 'ZZZZ', quantity: 1 }])).toMatchObject({
      __typename: 'SkuNotFound',
      productId: 'DG7GMGF0FKZV',
      skuId: 'ZZZZ',
    });
    const stranger = { ...customer, id: toGlobalId('Customer', randomUUID()) };
    expect((await answer(stranger, [{ ...skus.perpetual, quantity: 1 }]))?.__typename).toBe('CustomerNotFound');
    const order = { ...customer, id: toGlobalId('Order', customer.rowId) };
    expect((await ask(order, [{ ...skus.perpetual, quantity: 1 }])).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'input.customerId' } },
    ]);
  });

  test.each(['order_lines', 'entitlements', 'invoice_lines', 'activity_entries', 'idempotency_keys'])(
    'rule 6: where %s cannot be written nothing is, the error is masked, and the same request works afterwards',
    async (table) => {
      const customer = await aCustomer(gateway);
      const request = () =>
        ask(customer, [{ ...skus.perpetual, quantity: 1 }], { key: `rule 6 ${table}`.replaceAll(' ', '-') });
      await gateway.sql(
        `create or replace function sabotage() returns trigger as $$ begin raise exception 'the secret of the database'; end; $$ language plpgsql`,
      );
      await gateway.sql(`create trigger sabotage before insert on ${table} for each row execute function sabotage()`);
      const failed = await request().finally(() => gateway.sql(`drop trigger sabotage on ${table}`));
      expect(failed.data.purchase).toBeNull();
      const [error] = failed.errors ?? [];
      expect(error).toMatchObject({ extensions: { code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) } });
      expect(JSON.stringify(failed)).not.toContain('secret of the database');
      expect(gateway.log.find((line) => line.includes(error.extensions.id))).toContain('secret of the database');
      expect(await traces(customer)).toEqual(nothing);
      expect((await request()).data.purchase?.__typename).toBe('PurchaseSuccess');
      expect(await traces(customer)).toEqual({ orders: 1, lines: 1, entitlements: 1, invoices: 1, entries: 2 });
    },
  );

  test('rule 6: orders of one customer at once share the one invoice of the month', async () => {
    const customer = await aCustomer(gateway);
    const orders = await Promise.all(
      Array.from({ length: 10 }, () => buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }])),
    );
    expect(new Set(orders.map((order) => order.number)).size).toBe(10);
    expect(await traces(customer)).toEqual({ orders: 10, lines: 10, entitlements: 10, invoices: 1, entries: 20 });
    const after = await gateway.run(OrderDocument, { id: orders[0]?.id as string }, 'SALES_AGENT');
    expect(after.data.order).toMatchObject({ number: orders[0]?.number, cancellations: [] });
  });
});
