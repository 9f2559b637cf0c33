import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { type SalesDimension, SalesDocument, type SalesFilter } from '../../generated/graphql.js';
import { cancelled, confirming } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

describe(`sales, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock: Date;
  let american: TestCustomer;
  let german: TestCustomer;
  /** Sold: in the United States two orders in June and July, in Germany one in July; of the July ones some is taken back. */
  beforeAll(async () => {
    clock = new Date('2026-06-30T23:59:59.999Z');
    gateway = await startTestGateway({ now: () => clock });
    await stockShop(gateway);
    await aPrice(gateway, skus.perpetual, '100.00', { market: 'DE', currency: 'EUR' });
    american = await aCustomer(gateway);
    german = await aCustomer(gateway, { market: 'DE' });
    await buy(gateway, american, [
      { ...skus.perpetual, quantity: 2 },
      { ...skus.reservation, quantity: 1 },
    ]);
    clock = new Date('2026-07-01T00:00:00.000Z');
    const order = await buy(gateway, american, [
      { ...skus.perpetual, quantity: 1 },
      { ...skus.subscription, quantity: 3 },
    ]);
    await buy(gateway, german, [{ ...skus.perpetual, quantity: 5 }]);
    clock = new Date('2026-07-10T12:00:00Z');
    await confirming(gateway, american, () => cancelled(gateway, order, { lineNumbers: [1] }));
  });
  afterAll(() => gateway.stop());

  const sales = async (groupBy: SalesDimension[], filter: SalesFilter = {}) => {
    const { data, errors } = await gateway.run(SalesDocument, { groupBy, filter }, 'REPORT_VIEWER');
    if (errors || !data.sales) throw new Error(JSON.stringify(errors));
    return data.sales.map((group) => {
      const { count, quantity, gross, credited, net } = group;
      const key = [
        group.month,
        group.market?.code,
        group.kind,
        group.product?.productId,
        group.customer?.companyName,
        gross.currency,
      ].filter((part) => part != null);
      return `${key.join(' ')}: ${count} ${quantity} ${gross.amount} - ${credited.amount} = ${net.amount}`;
    });
  };
  const name = (customer: TestCustomer) => `Company ${customer.rowId.slice(0, 8)}`;

  test('sales add up by currency where nothing is grouped; a confirmed cancellation is taken off', async () => {
    expect(await sales([])).toEqual(['EUR: 1 5 500.00 - 0.00 = 500.00', 'USD: 4 7 92550.00 - 48504.39 = 44045.61']);
  });

  test('sales by month: of the purchase, in UTC, and so is what is credited of it', async () => {
    expect(await sales(['MONTH'])).toEqual([
      '2026-06-01 USD: 2 3 29896.00 - 0.00 = 29896.00',
      '2026-07-01 EUR: 1 5 500.00 - 0.00 = 500.00',
      '2026-07-01 USD: 2 4 62654.00 - 48504.39 = 14149.61',
    ]);
  });

  test('sales by market, kind, product and customer', async () => {
    expect(await sales(['MARKET'])).toEqual([
      'DE EUR: 1 5 500.00 - 0.00 = 500.00',
      'US USD: 4 7 92550.00 - 48504.39 = 44045.61',
    ]);
    expect(await sales(['KIND'])).toEqual([
      'AZURE_RESERVATION USD: 1 1 2400.00 - 0.00 = 2400.00',
      'PERPETUAL_SOFTWARE EUR: 1 5 500.00 - 0.00 = 500.00',
      'PERPETUAL_SOFTWARE USD: 2 3 41244.00 - 0.00 = 41244.00',
      'SOFTWARE_SUBSCRIPTION USD: 1 3 48906.00 - 48504.39 = 401.61',
    ]);
    expect((await sales(['PRODUCT'])).toSorted()).toEqual([
      'DG7GMGF0FKZV EUR: 1 5 500.00 - 0.00 = 500.00',
      'DG7GMGF0FKZV USD: 3 6 90150.00 - 48504.39 = 41645.61',
      'DZH318Z0BQ36 USD: 1 1 2400.00 - 0.00 = 2400.00',
    ]);
    expect((await sales(['CUSTOMER'])).toSorted()).toEqual(
      [
        `${name(german)} EUR: 1 5 500.00 - 0.00 = 500.00`,
        `${name(american)} USD: 4 7 92550.00 - 48504.39 = 44045.61`,
      ].toSorted(),
    );
  });

  test('sales by several dimensions at once; each is named once', async () => {
    expect(await sales(['KIND', 'MONTH', 'MARKET'])).toEqual([
      '2026-06-01 US AZURE_RESERVATION USD: 1 1 2400.00 - 0.00 = 2400.00',
      '2026-06-01 US PERPETUAL_SOFTWARE USD: 1 2 27496.00 - 0.00 = 27496.00',
      '2026-07-01 DE PERPETUAL_SOFTWARE EUR: 1 5 500.00 - 0.00 = 500.00',
      '2026-07-01 US PERPETUAL_SOFTWARE USD: 1 1 13748.00 - 0.00 = 13748.00',
      '2026-07-01 US SOFTWARE_SUBSCRIPTION USD: 1 3 48906.00 - 48504.39 = 401.61',
    ]);
    await expect(sales(['KIND', 'KIND'])).rejects.toThrow('groupBy');
  });

  test.each<[string, (ids: { american: string }) => SalesFilter, string[]]>([
    ['from, inclusive', () => ({ from: '2026-07-01T00:00:00Z' }), ['EUR: 1 5', 'USD: 2 4']],
    ['to, exclusive', () => ({ to: '2026-07-01T00:00:00Z' }), ['USD: 2 3']],
    ['customer', (ids) => ({ customerId: ids.american }), ['USD: 4 7']],
    ['markets', () => ({ markets: ['de', 'FR'] }), ['EUR: 1 5']],
    ['kinds', () => ({ kinds: ['AZURE_RESERVATION', 'SOFTWARE_SUBSCRIPTION'] }), ['USD: 2 4']],
    ['no kinds', () => ({ kinds: [] }), []],
    ['product', () => ({ productId: 'dzh318z0bq36' }), ['USD: 1 1']],
    ['unknown product', () => ({ productId: 'NOSUCHTHING1' }), []],
    ['currency', () => ({ currency: 'eur' }), ['EUR: 1 5']],
    ['nulls, which say nothing', () => ({ from: null, kinds: null, customerId: null }), ['EUR: 1 5', 'USD: 4 7']],
    [
      'all together',
      (ids) => ({ customerId: ids.american, kinds: ['PERPETUAL_SOFTWARE'], from: '2026-07-01T00:00:00Z' }),
      ['USD: 1 1'],
    ],
  ])('sales filtered by %s', async (_name, filter, expected) => {
    const groups = await sales([], filter({ american: american.id }));
    expect(groups.map((group) => group.split(' ').slice(0, 3).join(' '))).toEqual(expected);
  });

  test.each(['GLOBAL_ADMIN', 'ADMIN_AGENT', 'SALES_AGENT', 'BILLING_ADMIN', 'REPORT_VIEWER'] as const)(
    '%s, who reads sums of sales, reads the credits that they are made of',
    async (role) => {
      const { data, errors } = await gateway.run(
        `query ($id: ID!) {
        sales(groupBy: [CUSTOMER, PRODUCT], filter: { customerId: $id, kinds: [SOFTWARE_SUBSCRIPTION] }) { count credited { amount } }
        orders(filter: { customerId: $id, kind: SOFTWARE_SUBSCRIPTION }) { nodes { cancellations { credit { amount } lines { credit { amount } unitCredit { amount } } } } }
      }`,
        { id: american.id },
        role,
      );
      expect(errors).toBeUndefined();
      const [{ count, credited }] = data.sales;
      const [{ cancellations }] = data.orders.nodes;
      expect([count, cancellations]).toEqual([
        1,
        [{ credit: credited, lines: [{ credit: credited, unitCredit: { amount: expect.any(String) } }] }],
      ]);
    },
  );

  test.each([...Object.values(Role), 'anonymous' as const])('whether %s may see sales', async (role) => {
    const as =
      role === 'anonymous' ? null : role === 'CUSTOMER_ADMIN' ? { token: await gateway.token(role, american) } : role;
    const { data, errors } = await gateway.run(SalesDocument, { groupBy: ['MONTH'] }, as);
    if (['GLOBAL_ADMIN', 'ADMIN_AGENT', 'SALES_AGENT', 'BILLING_ADMIN', 'REPORT_VIEWER'].includes(role)) {
      expect(errors).toBeUndefined();
      expect(data.sales).toHaveLength(3);
    } else {
      expect(data.sales).toBeNull();
      expect(errors?.map((error) => error.extensions.code)).toEqual([as ? 'FORBIDDEN' : 'UNAUTHENTICATED']);
    }
  });
});
