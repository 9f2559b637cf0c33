import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RefundOption } from '../../../src/domain/refund-option.js';
import { CancellationQuoteDocument, OrderDocument } from '../../generated/graphql.js';
import { cancel, cancelled, confirming, quoteOf } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, aSku, aSkuOf, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

describe(`cancellation window, quote and credit, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock: Date;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway({ now: () => clock });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  beforeEach(() => {
    clock = new Date('2026-07-15T10:00:00Z');
  });
  afterAll(() => gateway.stop());

  const at = (instant: string | number) => {
    clock = new Date(instant);
  };
  /** Sells `quantity` of a new SKU at `price`. */
  const sell = async (price: string, quantity = 1, facts: Parameters<typeof aSku>[1] = {}, currency = 'USD') => {
    const sku = await aSku(gateway, facts);
    const market = { USD: 'US', JPY: 'JP', KWD: 'KW', HUF: 'HU' }[currency] as string;
    await aPrice(gateway, sku, price, { currency, market });
    const buyer = market === 'US' ? customer : await aCustomer(gateway, { market });
    if (currency === 'KWD' || currency === 'HUF')
      await gateway.sql('update markets set currencies = array[?] where code = ?', [currency, market]);
    return buy(gateway, buyer, [{ ...sku, quantity }]);
  };
  const full = (expiresAfter: string): RefundOption => ({ sequence: 0, type: 'FULL', expiresAfter });
  const perpetual = { kind: 'PERPETUAL_SOFTWARE' as const, term: null, refundOptions: [full('P30D')] };

  const sevenDays: RefundOption[] = [full('PT24H'), { sequence: 1, type: 'PARTIAL', expiresAfter: 'P7D' }];
  /** Gives a SKU another policy, as if it always had had it. */
  const repolicy = (sku: { productId: string; skuId: string }, options: RefundOption[], bySupport: boolean) =>
    gateway.sql(
      `insert into cancellation_policies (id, kind, sku_id, effective_date, refund_options, support_request_required)
       select gen_random_uuid(), s.kind, s.id, '2020-01-01', ?::jsonb, ? from skus s join products p on p.id = s.product_id
       where p.product_id = ? and s.sku_id = ?
       on conflict (sku_id, effective_date) where sku_id is not null
         do update set refund_options = excluded.refund_options, support_request_required = excluded.support_request_required`,
      [JSON.stringify(options), bySupport, sku.productId, sku.skuId],
    );

  test.each([
    ['2026-07-15T10:00:00Z', '2026-08-14T23:59:00.000Z'],
    ['2026-07-15T00:00:00Z', '2026-08-14T23:59:00.000Z'],
    ['2026-07-15T23:59:59.999Z', '2026-08-14T23:59:00.000Z'],
    ['2028-01-30T12:00:00Z', '2028-02-29T23:59:00.000Z'],
    ['2028-02-29T12:00:00Z', '2028-03-30T23:59:00.000Z'],
    ['2027-01-30T12:00:00Z', '2027-03-01T23:59:00.000Z'],
    ['2026-12-02T12:00:00Z', '2027-01-01T23:59:00.000Z'],
  ])(
    'rule 13: bought at %s it can be cancelled until %s, inclusive, and not a millisecond later',
    async (placedAt, until) => {
      at(placedAt);
      const orders = await Promise.all([
        buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]),
        buy(gateway, customer, [{ ...skus.subscription, quantity: 1 }]),
      ]);
      for (const order of orders) {
        expect(order.lines[0]).toMatchObject({ cancellableUntil: until });
        at(placedAt);
        expect(await quoteOf(gateway, order)).toMatchObject({ allowed: true, daysLeft: 30, cancellableUntil: until });
        at(until);
        expect(await quoteOf(gateway, order)).toMatchObject({ allowed: true, daysLeft: 0, problem: null });
        at(Date.parse(until) + 1);
        const problem = { __typename: 'CancellationWindowClosed', code: 'CANCELLATION_WINDOW_CLOSED' };
        expect(await quoteOf(gateway, order)).toMatchObject({
          allowed: false,
          daysLeft: 0,
          problem,
          quoteToken: null,
          credit: null,
        });
        expect(await cancel(gateway, order)).toMatchObject({ ...problem, closedAt: until, lineNumbers: [0] });
        at(until);
        expect((await cancel(gateway, order)).__typename).toBe('CancelOrderSuccess');
      }
    },
  );

  test('rule 13: the window is data on the SKU, frozen at the sale', async () => {
    const sku = await aSku(gateway, { ...perpetual, refundOptions: [full('P7D')] });
    await aPrice(gateway, sku, '10.00');
    const order = await buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    await repolicy(sku, [full('P0D')], false);
    const later = await buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    expect(await quoteOf(gateway, order)).toMatchObject({ daysLeft: 7, cancellableUntil: '2026-07-22T23:59:00.000Z' });
    expect(await quoteOf(gateway, later)).toMatchObject({ daysLeft: 0, cancellableUntil: '2026-07-15T23:59:00.000Z' });
    at('2026-07-15T23:59:00.001Z');
    expect((await cancel(gateway, later)).__typename).toBe('CancellationWindowClosed');
  });

  test('rule 13: all that a line is judged by is frozen, the support flag too, and an order keeps it through any change', async () => {
    const sku = await aSku(gateway, { refundOptions: sevenDays });
    await aPrice(gateway, sku, '30.00');
    const [order, untouched] = [
      await buy(gateway, customer, [{ ...sku, quantity: 1 }]),
      await buy(gateway, customer, [{ ...sku, quantity: 1 }]),
    ];
    await repolicy(sku, [], true);
    const later = await buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    expect((await cancel(gateway, later)).__typename).toBe('SupportRequestRequired');
    await repolicy(sku, [], false);
    expect((await cancel(gateway, later)).__typename).toBe('SupportRequestRequired');
    const never = await buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    expect((await cancel(gateway, never)).__typename).toBe('ProductNotCancellable');
    at('2026-07-16T09:59:00Z');
    expect(await quoteOf(gateway, untouched)).toMatchObject({ allowed: true, rule: 'FULL' });
    expect((await cancelled(gateway, order)).cancellation.credit).toMatchObject({ amount: '30.00' });
  });

  test.each([
    ['2026-07-16T10:00:00.000Z', 'FULL', '31.00', 6],
    ['2026-07-16T10:00:00.001Z', 'PRORATED', '30.00', 6],
    ['2026-07-22T23:59:00.000Z', 'PRORATED', '24.00', 0],
  ] as const)(
    'rule 13: seven days with a first full day, bought on 15 July at 10:00 for 31.00 a month: at %s %s, %s',
    async (instant, rule, amount, daysLeft) => {
      const order = await sell('31.00', 1, { refundOptions: sevenDays });
      at(instant);
      const quote = await quoteOf(gateway, order);
      expect(quote).toMatchObject({ allowed: true, rule, credit: { amount }, daysLeft });
      const options = [
        { sequence: 0, type: 'FULL', expiresAt: '2026-07-16T10:00:00.000Z' },
        { sequence: 1, type: 'PARTIAL', expiresAt: '2026-07-22T23:59:00.000Z' },
      ];
      expect(quote).toMatchObject({ cancellableUntil: options[1]?.expiresAt, lines: [{ refundOptions: options }] });
      expect(quote.notice.refundOptions).toEqual([
        'Line 0, A SKU: all of the price until 2026-07-16T10:00:00.000Z, then the unused days of the term until 2026-07-22T23:59:00.000Z; nothing after that.',
      ]);
      expect((await cancelled(gateway, order)).cancellation).toMatchObject({ rule, credit: { amount } });
    },
  );

  test('rule 13: options of hours end to the millisecond, and the notice tells them though nothing is allowed', async () => {
    const order = await sell('31.00', 1, { refundOptions: [full('PT168H')] });
    at('2026-07-22T10:00:00.001Z');
    expect((await cancel(gateway, order)).__typename).toBe('CancellationWindowClosed');
    expect(await quoteOf(gateway, order)).toMatchObject({
      allowed: false,
      notice: { refundOptions: [expect.stringContaining('all of the price until 2026-07-22T10:00:00.000Z;')] },
    });
    at('2026-07-22T10:00:00Z');
    expect((await cancel(gateway, order)).__typename).toBe('CancelOrderSuccess');
  });

  test('rule 13: a LINUX_PLAN can never be cancelled, and no table can say otherwise', async () => {
    const plan = await aSkuOf(gateway, 'LINUX_PLAN');
    await aPrice(gateway, plan, '300.00');
    const order = await buy(gateway, customer, [{ ...plan, quantity: 1 }]);
    const problem = { __typename: 'ProductNotCancellable', code: 'PRODUCT_NOT_CANCELLABLE' };
    expect(await quoteOf(gateway, order)).toMatchObject({
      allowed: false,
      problem,
      daysLeft: null,
      cancellableUntil: null,
    });
    expect(await cancel(gateway, order)).toMatchObject(problem);
    await expect(repolicy(plan, [full('P30D')], false)).rejects.toThrow('cancellation_policies_linux_plan_final');
  });

  test('rule 14: the quote says instant and days left, credit, rule, arithmetic and notice', async () => {
    const order = await buy(gateway, customer, [
      { ...skus.perpetual, quantity: 2 },
      { ...skus.subscription, quantity: 3 },
    ]);
    at('2026-07-25T10:00:00Z');
    const quote = await quoteOf(gateway, order);
    expect(quote).toMatchObject({
      allowed: true,
      problem: null,
      daysLeft: 20,
      cancellableUntil: '2026-08-14T23:59:00.000Z',
      rule: 'MIXED',
      credit: { amount: '75955.75', currency: 'USD' },
      expiresAt: '2026-07-25T10:15:00.000Z',
      lines: [
        {
          lineNumber: 0,
          termDays: null,
          unusedDays: null,
          credit: { amount: '27496.00' },
          arithmetic: '13748.00 USD × 2 = 27496.00',
        },
        {
          lineNumber: 1,
          termDays: 1096,
          unusedDays: 1086,
          unitCredit: { amount: '16153.25' },
          credit: { amount: '48459.75' },
          arithmetic: '16302.00 USD / 1096 days × 1086 unused = 16153.2591, cut to 16153.25, × 3 = 48459.75',
        },
      ],
    });
    expect(quote.notice.revoked).toMatch(/key.*link/);
    expect(quote.notice.removal).toMatch(/[Yy]ou and the customer/);
    expect(quote.notice.credit).toMatch(/next monthly invoice/);
    expect(await quoteOf(gateway, order, [0])).toMatchObject({ rule: 'FULL', credit: { amount: '27496.00' } });
    expect(await quoteOf(gateway, order, [1])).toMatchObject({ rule: 'PRORATED', credit: { amount: '48459.75' } });
  });

  test('rule 14: an order that is missing has no quote; line numbers are judged as cancelOrder judges them', async () => {
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const missing = `ord_${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`;
    const { data } = await gateway.run(CancellationQuoteDocument, { orderId: missing }, 'ADMIN_AGENT');
    expect(data.cancellationQuote).toBeNull();
    expect((await quoteOf(gateway, order, [0, 7])).problem).toMatchObject({ __typename: 'OrderLineNotFound' });
    expect(await cancel(gateway, order, { lineNumbers: [0, 7] })).toMatchObject({ __typename: 'OrderLineNotFound' });
    for (const lineNumbers of [[], [0, 0]]) {
      const asked = await gateway.run(CancellationQuoteDocument, { orderId: order.id, lineNumbers }, 'ADMIN_AGENT');
      expect(asked.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'lineNumbers' } }]);
      await expect(cancel(gateway, order, { lineNumbers })).rejects.toThrow('BAD_USER_INPUT');
    }
  });

  test('rule 14: the token is honoured to the cent for 15 minutes, though the day changes; without it the new day counts', async () => {
    const [quoted, unquoted] = [await sell('10.08', 10), await sell('10.08', 10)];
    at('2026-07-17T23:59:59.250Z');
    const { quoteToken, credit, expiresAt } = await quoteOf(gateway, quoted);
    expect(credit).toMatchObject({ amount: '94.20' });
    at(Date.parse(expiresAt as string) - 1);
    expect(clock.getTime()).toBeGreaterThanOrEqual(Date.parse('2026-07-18T00:14:59.250Z'));
    expect((await cancelled(gateway, quoted, { quoteToken })).cancellation).toMatchObject({
      credit: { amount: '94.20' },
      lines: [{ unusedDays: 29, unitCredit: { amount: '9.42' } }],
    });
    expect((await cancelled(gateway, unquoted)).cancellation).toMatchObject({ credit: { amount: '91.00' } });
  });

  test('rule 14: the token is honoured even where the window has closed since', async () => {
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    at('2026-08-14T23:58:00Z');
    const { quoteToken, credit } = await quoteOf(gateway, order);
    at('2026-08-15T00:12:59Z');
    expect((await cancel(gateway, order)).__typename).toBe('CancellationWindowClosed');
    expect((await cancelled(gateway, order, { quoteToken })).cancellation.credit).toEqual(credit);
  });

  test('rule 14: after 15 minutes the quote has expired', async () => {
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const { quoteToken } = await quoteOf(gateway, order);
    at(clock.getTime() + 15 * MINUTE);
    expect(await cancel(gateway, order, { quoteToken })).toMatchObject({
      __typename: 'QuoteExpired',
      code: 'QUOTE_EXPIRED',
    });
    expect((await cancel(gateway, order)).__typename).toBe('CancelOrderSuccess');
  });

  test('rule 14: a quote is for its order and its lines; one that we did not sign is for nothing', async () => {
    const lines = [
      { ...skus.perpetual, quantity: 1 },
      { ...skus.perpetual, quantity: 2 },
    ];
    const [order, other] = [await buy(gateway, customer, lines), await buy(gateway, customer, lines)];
    const { quoteToken } = await quoteOf(gateway, order, [0]);
    const refused = { __typename: 'QuoteNotApplicable', code: 'QUOTE_NOT_APPLICABLE' };
    const forged = `${quoteToken?.split('.').slice(0, 2).join('.')}.${'A'.repeat(43)}`;
    expect(await cancel(gateway, order, { quoteToken })).toMatchObject(refused);
    expect(await cancel(gateway, order, { quoteToken, lineNumbers: [1] })).toMatchObject(refused);
    expect(await cancel(gateway, other, { quoteToken, lineNumbers: [0] })).toMatchObject(refused);
    expect(await cancel(gateway, order, { quoteToken: forged, lineNumbers: [0] })).toMatchObject(refused);
    expect(await cancel(gateway, order, { quoteToken: 'rubbish', lineNumbers: [0] })).toMatchObject(refused);
    expect((await cancelled(gateway, order, { quoteToken, lineNumbers: [0] })).cancellation).toMatchObject({
      credit: { amount: '13748.00' },
    });
  });

  test('rule 16: 10 at 10.08 for a month from 15 July, cancelled on 17 July: 9.42 × 10 = 94.20', async () => {
    const order = await sell('10.08', 10);
    at('2026-07-17T15:00:00Z');
    expect((await quoteOf(gateway, order)).lines).toMatchObject([
      {
        termDays: 31,
        unusedDays: 29,
        unitCredit: { amount: '9.42' },
        credit: { amount: '94.20' },
        arithmetic: '10.08 USD / 31 days × 29 unused = 9.4296, cut to 9.42, × 10 = 94.20',
      },
    ]);
    expect((await cancelled(gateway, order)).cancellation).toMatchObject({
      credit: { amount: '94.20', currency: 'USD' },
      rule: 'PRORATED',
    });
  });

  test.each([
    // bought, term, cancelled, days of the term, unused days, unit credit of 100.00
    ['2026-07-15T10:00:00Z', 'P1M', '2026-07-15T23:59:59.999Z', 31, 31, '100.00'],
    ['2027-01-31T10:00:00Z', 'P1M', '2027-02-01T00:00:00Z', 28, 27, '96.42'],
    ['2027-02-01T10:00:00Z', 'P1M', '2027-02-28T10:00:00Z', 28, 1, '3.57'],
    ['2028-02-01T10:00:00Z', 'P1M', '2028-02-02T10:00:00Z', 29, 28, '96.55'],
    ['2027-03-01T10:00:00Z', 'P1Y', '2027-03-02T10:00:00Z', 366, 365, '99.72'],
    ['2028-02-29T10:00:00Z', 'P1Y', '2028-03-01T10:00:00Z', 365, 364, '99.72'],
    ['2028-03-01T10:00:00Z', 'P1Y', '2028-03-31T10:00:00Z', 365, 335, '91.78'],
    ['2026-09-14T10:00:00Z', 'P3Y', '2026-09-15T10:00:00Z', 1096, 1095, '99.90'],
  ])(
    'rule 16: bought %s for %s, cancelled %s: of %d days %d are unused',
    async (placedAt, term, cancelledAt, termDays, unusedDays, amount) => {
      at(placedAt);
      const order = await sell('100.00', 1, { term });
      at(cancelledAt);
      expect((await cancelled(gateway, order)).cancellation.lines).toMatchObject([
        { termDays, unusedDays, unitCredit: { amount } },
      ]);
    },
  );

  test.each([
    ['JPY', '1500', '1403', '4209'],
    ['KWD', '1.500', '1.403', '4.209'],
    ['USD', '1.5', '1.40', '4.20'],
  ])(
    'rule 16: in %s the unit credit is cut to the minor unit before it is multiplied',
    async (currency, price, unit, credit) => {
      const order = await sell(price, 3, {}, currency);
      at('2026-07-17T10:00:00Z');
      expect((await quoteOf(gateway, order)).lines).toMatchObject([
        { unitCredit: { amount: unit, currency }, credit: { amount: credit } },
      ]);
    },
  );

  test('rule 16: perpetual software gives back all of it until the last instant, without a fee', async () => {
    const order = await sell('0.0135', 7, perpetual);
    at('2026-08-14T23:59:00Z');
    expect((await cancelled(gateway, order)).cancellation).toMatchObject({
      rule: 'FULL',
      credit: { amount: '0.07' },
      lines: [{ unitCredit: { amount: '0.01' }, termDays: null, unusedDays: null }],
    });
  });

  test.each([
    ['USD', '12.3456'],
    ['JPY', '1234.5678'],
    ['KWD', '12.3456'],
    ['HUF', '12.3456'],
  ])('rule 16: in %s, on the first day, what was taken for 1,000 at %s is given back', async (currency, price) => {
    for (const facts of [perpetual, {}]) {
      const order = await sell(price, 1_000, facts, currency);
      at('2026-07-15T23:59:59.999Z');
      expect((await quoteOf(gateway, order)).credit).toEqual(order.total);
    }
  });

  test('rule 16: an order from before prices were cut gives back on the first day what was charged, and is cut afterwards', async () => {
    for (const facts of [perpetual, {}]) {
      const order = await sell('12.34', 3, facts);
      await gateway.sql(
        `update order_lines set unit_price = 12.3456, total = 37.0368 where order_id = (select id from orders where number = ?)`,
        [order.number],
      );
      expect((await quoteOf(gateway, order)).credit).toMatchObject({ amount: '37.0368' });
      at('2026-07-16T00:00:00Z');
      const later = facts === perpetual ? '37.0368' : '35.82';
      expect((await quoteOf(gateway, order)).credit).toMatchObject({ amount: later });
      at('2026-07-15T10:00:00Z');
    }
  });

  test('rule 16: once the term is over there is nothing to give back and nothing to revoke, and both say so', async () => {
    at('2027-02-01T10:00:00Z');
    const order = await sell('100.00');
    at('2027-02-28T23:59:59.999Z');
    const { quoteToken } = await quoteOf(gateway, order);
    at('2027-03-01T00:00:00Z');
    const nothing = { __typename: 'NothingToGiveBack', code: 'NOTHING_TO_GIVE_BACK' };
    const quote = await quoteOf(gateway, order);
    expect(quote).toMatchObject({ allowed: false, problem: nothing, credit: null, quoteToken: null });
    expect(await cancel(gateway, order)).toMatchObject({ ...nothing, message: expect.stringMatching(/line 0/) });
    expect((await cancelled(gateway, order, { quoteToken })).cancellation).toMatchObject({
      credit: { amount: '3.57' },
    });
  });

  test('rule 16: a licence that has expired when its cancellation is confirmed stays expired, and is not revoked', async () => {
    const buyer = await aCustomer(gateway);
    const order = await buy(gateway, buyer, [{ ...skus.subscription, quantity: 1 }]);
    await gateway.sql(`update entitlements set expires_at = '2026-07-15T09:59:59.999Z' where customer_id = ?`, [
      buyer.rowId,
    ]);
    await confirming(gateway, buyer, () => cancelled(gateway, order));
    const { data } = await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT');
    expect(data.order).toMatchObject({
      status: 'CANCELLED',
      lines: [{ status: 'CANCELLED', isCancellable: false, entitlement: { status: 'EXPIRED' } }],
    });
  });

  test('rule 16: what was bought for nothing can be cancelled, and the notice says that nothing is given back', async () => {
    const order = await sell('0.00', 5);
    const quote = await quoteOf(gateway, order);
    expect(quote).toMatchObject({ allowed: true, credit: { amount: '0.00' } });
    expect(quote.notice.credit).toMatch(/nothing to give back/);
    expect((await cancelled(gateway, order)).cancellation).toMatchObject({ credit: { amount: '0.00' } });
  });

  test('rules 14 and 16: over forty random sales, quote, cancellation and an independent reckoning agree to the cent', async () => {
    let seed = 20_260_715;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const day = (instant: Date) => Math.floor(instant.getTime() / DAY);
    for (let round = 0; round < 40; round += 1) {
      const months = [1, 12, 36][random(3)] as number;
      const cents = 1 + random(5_000_000);
      const quantity = 1 + random(500);
      const placedAt = new Date(Date.UTC(2026, random(36), 1 + random(28), random(24), random(60)));
      const cancelledAt = new Date(
        Math.min(placedAt.getTime() + random(31 * DAY), (day(placedAt) + 31) * DAY - MINUTE),
      );
      const price = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
      const round_ = { round, months, price, quantity, placedAt, cancelledAt };
      at(placedAt.getTime());
      const order = await sell(price, quantity, { term: `P${months}M` });
      at(cancelledAt.getTime());
      const quote = await quoteOf(gateway, order);

      const begin = Date.UTC(placedAt.getUTCFullYear(), placedAt.getUTCMonth(), placedAt.getUTCDate());
      const end = Date.UTC(placedAt.getUTCFullYear(), placedAt.getUTCMonth() + months, placedAt.getUTCDate());
      const termDays = (end - begin) / DAY;
      const unused = Math.max(termDays - (day(cancelledAt) - begin / DAY), 0);
      const unitCents = (BigInt(cents) * BigInt(unused)) / BigInt(termDays);
      const total = unitCents * BigInt(quantity);
      const expected = `${total / 100n}.${String(total % 100n).padStart(2, '0')}`;
      expect({ ...round_, credit: quote.credit?.amount }).toEqual({ ...round_, credit: expected });

      const quoteToken = random(2) === 0 ? quote.quoteToken : null;
      if (quoteToken) at(clock.getTime() + random(15 * MINUTE));
      const { cancellation } = await cancelled(gateway, order, { quoteToken });
      expect({ ...round_, credit: cancellation.credit?.amount }).toEqual({ ...round_, credit: expected });
    }
  });
});
