import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import {
  codesClosedToReservations,
  referenceMarkets,
  referenceProducts,
} from '../../../src/seed/reference/reference-data.js';
import {
  MarketsDocument,
  PricesDocument,
  type PricesQueryVariables,
  ProductsDocument,
} from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, aSku, buy, skus } from '../../support/shop.js';

describe(`markets, products and prices, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const page = async (variables: Record<string, unknown>) => {
    const { data, errors } = await gateway.run(
      `query ($filter: ProductFilter, $orderBy: ProductOrder, $first: Int, $after: String) {
        products(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
          totalCount
          pageInfo { endCursor hasNextPage }
          nodes { productId title }
        }
      }`,
      variables,
      'REPORT_VIEWER',
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data.products as {
      totalCount: number;
      pageInfo: { endCursor: string; hasNextPage: boolean };
      nodes: { productId: string; title: string }[];
    };
  };
  const priceOf = async (sku: { productId: string }, variables: Partial<PricesQueryVariables> = {}) => {
    const { data, errors } = await gateway.run(
      PricesDocument,
      { productId: sku.productId, market: 'US', ...variables },
      'SALES_AGENT',
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data.product?.skus[0]?.price?.unitPrice.amount ?? null;
  };

  test('rule 1: markets are open to everybody, by code; those closed to reservations are the 106 of the table', async () => {
    const all = (await gateway.run(MarketsDocument, {}, null)).data.markets;
    expect(all.map(({ code }) => code)).toEqual([...referenceMarkets.keys()].toSorted());
    const closed = (await gateway.run(MarketsDocument, { closedTo: 'AZURE_RESERVATION' }, null)).data.markets;
    expect(closed.map(({ code }) => code)).toEqual([...codesClosedToReservations].toSorted());
    expect((await gateway.run(MarketsDocument, { closedTo: 'LINUX_PLAN' }, null)).data.markets).toEqual([]);
    expect(all.filter(({ taxInclusive }) => taxInclusive).map(({ code }) => code)).toEqual(['AU', 'BR']);
    expect(all.find(({ code }) => code === 'CN')).toMatchObject({ closedTo: ['AZURE_RESERVATION'], name: 'China' });
  });

  test('products are filtered by kind of a SKU, by text and by publisher', async () => {
    const reservations = await page({ filter: { kind: 'AZURE_RESERVATION' }, first: 100 });
    const expected = referenceProducts.filter((product) =>
      product.skus.some(({ kind }) => kind === 'AZURE_RESERVATION'),
    );
    expect(new Set(reservations.nodes.map(({ productId }) => productId))).toEqual(
      new Set(expected.map(({ productId }) => productId)),
    );
    expect(reservations.totalCount).toBe(expected.length);
    const found = await gateway.run(ProductsDocument, { search: 'dg7gmgf0fkzv' }, 'REPORT_VIEWER');
    expect(found.data.products?.nodes).toMatchObject([
      { productId: 'DG7GMGF0FKZV', skus: [{ skuId: '0001' }, { skuId: '0003' }] },
    ]);
    expect((await page({ filter: { search: '100%' } })).nodes).toEqual([]);
    expect((await page({ filter: { publisher: 'Nobody' } })).nodes).toEqual([]);
    expect((await page({ filter: { publisher: 'Microsoft Corporation', kind: null } })).totalCount).toBeGreaterThan(0);
  });

  test.each(['TITLE', 'PRODUCT_ID'])('products by %s page through all of them without gap or repeat', async (field) => {
    const query = { orderBy: { field, direction: 'DESC' } };
    const all = (await page({ ...query, first: 100 })).nodes;
    const paged: unknown[] = [];
    for (let after: string | null = null; ; ) {
      const { nodes, pageInfo } = await page({ ...query, first: 7, after });
      paged.push(...nodes);
      after = pageInfo.endCursor;
      if (!pageInfo.hasNextPage) break;
    }
    expect(paged).toEqual(all);
    expect(new Set(all.map(({ productId }) => productId)).size).toBe(all.length);
    if (field === 'PRODUCT_ID')
      expect(all.map(({ productId }) => productId)).toEqual(
        all
          .map(({ productId }) => productId)
          .toSorted()
          .toReversed(),
      );
  });

  test('a product is found by its product id in any case; what is missing is null', async () => {
    const of = async (productId: string) =>
      (await gateway.run(PricesDocument, { productId, market: 'US' }, 'HELPDESK_AGENT')).data.product;
    expect(await of('dg7gmgf0fkzv')).toMatchObject({ productId: 'DG7GMGF0FKZV', title: 'SQL Server Enterprise Core' });
    expect(await of('NOSUCHTHING1')).toBeNull();
    expect(await of('')).toBeNull();
  });

  test('rule 3: price(at:) is the one valid then; its end no longer is; on overlap the latest end wins', async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '10.00', { from: '2026-01-01T00:00:00Z', to: '2026-03-01T00:00:00Z' });
    await aPrice(gateway, sku, '12.00', { from: '2026-02-01T00:00:00Z', to: '2026-04-01T00:00:00Z' });
    await aPrice(gateway, sku, '11.00', { from: '2026-02-10T00:00:00Z', to: '2026-02-20T00:00:00Z' });
    const at = (instant: string) => priceOf(sku, { at: instant });
    expect(await at('2025-12-31T23:59:59.999Z')).toBeNull();
    expect(await at('2026-01-01T01:00:00+01:00')).toBe('10.00');
    expect(await at('2026-01-31T23:59:59.999Z')).toBe('10.00');
    expect(await at('2026-02-15T00:00:00Z')).toBe('12.00');
    expect(await at('2026-03-31T23:59:59.999Z')).toBe('12.00');
    expect(await at('2026-04-01T00:00:00Z')).toBeNull();
    expect(await priceOf(sku)).toBeNull();
  });

  test('rule 3: price is of market, currency and segment; left out they are the first currency and COMMERCIAL', async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '70.00', { market: 'CH', currency: 'CHF' });
    await aPrice(gateway, sku, '65.00', { market: 'CH', currency: 'EUR' });
    await aPrice(gateway, sku, '30.00', { market: 'CH', currency: 'CHF', segment: 'EDUCATION' });
    expect(await priceOf(sku, { market: 'ch' })).toBe('70.00');
    expect(await priceOf(sku, { market: 'CH', currency: 'eur' })).toBe('65.00');
    expect(await priceOf(sku, { market: 'CH', segment: 'EDUCATION' })).toBe('30.00');
    expect(await priceOf(sku, { market: 'CH', segment: 'CHARITY' })).toBeNull();
    expect(await priceOf(sku, { market: 'US' })).toBeNull();
    expect(await priceOf(sku, { market: 'XX' })).toBeNull();
  });

  test('rule 3: of pricing tiers price shows the one for a single unit, and it is what one unit is sold at', async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '8.00', { tierMin: 10 });
    await aPrice(gateway, sku, '10.00', { tierMin: 1, tierMax: 9 });
    expect(await priceOf(sku)).toBe('10.00');
    const order = await buy(gateway, await aCustomer(gateway), [{ ...sku, quantity: 1 }]);
    expect(order.total.amount).toBe('10.00');
  });

  test.each(Object.values(Role))('whether %s may see the catalog and its prices', async (role) => {
    await aPrice(gateway, skus.perpetual, '13748.00', {
      from: `2020-01-01T00:00:0${Object.values(Role).indexOf(role)}Z`,
    });
    const customer = await aCustomer(gateway);
    const as = role === 'CUSTOMER_ADMIN' ? { token: await gateway.token(role, customer) } : role;
    const { data, errors } = await gateway.run(PricesDocument, { productId: 'DG7GMGF0FKZV', market: 'US' }, as);
    if (
      ['GLOBAL_ADMIN', 'ADMIN_AGENT', 'SALES_AGENT', 'HELPDESK_AGENT', 'BILLING_ADMIN', 'REPORT_VIEWER'].includes(role)
    ) {
      expect(data.product?.skus[0]?.price?.unitPrice).toEqual({ amount: '13748.00', currency: 'USD' });
    } else {
      expect([data.product, errors?.[0]?.extensions.code]).toEqual([null, 'FORBIDDEN']);
    }
    if (role !== 'CUSTOMER_ADMIN') return;
    await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const own = await gateway.run(
      '{ orders { nodes { lines { sku { title price(market: "US") { unitPrice { amount } } } } } } }',
      {},
      as,
    );
    expect(own.data.orders.nodes).toMatchObject([{ lines: [{ sku: { price: null } }] }]);
    expect(own.errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } });
  });
});
