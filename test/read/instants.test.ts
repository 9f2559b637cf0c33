import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, aPrice, aSku, buy, skus, stockShop } from '../support/shop.js';
import { over, transports } from '../support/transports.js';
import { until } from '../support/until.js';

const AT = '2026-05-04T10:00:00.128Z';
/** Bounds, and whether what is at `AT` lies at or after them. */
const bounds: [string, boolean][] = [
  ['2026-05-04T10:00:00.1279999Z', true],
  ['2026-05-04T10:00:00.128Z', true],
  ['2026-05-04T10:00:00.12800000000000Z', true],
  ['2026-05-04T12:00:00.128+02:00', true],
  ['2026-05-04t10:00:00.128z', true],
  ['2026-05-04T10:00:00.1280000000001Z', false],
  ['2026-05-04T10:00:00.1280001Z', false],
  ['2026-05-04T10:00:00.1289999Z', false],
  ['2026-05-04T04:30:00.1281-05:30', false],
];
/** What is at this instant, the first of a month, is after the leap second before it. */
const NEW_YEAR = '2017-01-01T00:00:00.000Z';
const leapSeconds = ['2016-12-31T23:59:60Z', '2016-12-31T23:59:60.999Z', '2017-01-01T08:59:60+09:00'];

describe(`instants, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    const customer = await aCustomer(gateway);
    for (const at of [AT, NEW_YEAR]) {
      const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
      await gateway.sql('update orders set placed_at = ? where id = ?', [at, order.id.slice(4)]);
      await gateway.sql(
        'update entitlements set expires_at = ? where order_line_id = any(select id from order_lines where order_id = ?)',
        [at, order.id.slice(4)],
      );
      await anEntry(at);
    }
    // Readers see an entry once no transaction of the server, of whichever database, is older than it.
    await until('readers see the entries', async () => {
      const { data } = await gateway.run('{ activity(filter: {actions: [PRODUCT_KEY_REVEALED]}) { totalCount } }');
      return data.activity.totalCount === 2;
    });
  });
  afterAll(() => gateway.stop());

  const anEntry = (at: string) =>
    gateway.sql(
      `insert into activity_entries (id, at, action, outcome, actor, actor_role, resource_type, resource_id, resource_label, correlation_id, detail)
       values (gen_random_uuid(), ?, 'PRODUCT_KEY_REVEALED', 'SUCCEEDED', 'anna@partner.example', 'ADMIN_AGENT', 'ENTITLEMENT', 'ent',
         'instants', gen_random_uuid(), '{"version": "2022"}')`,
      [at],
    );

  describe.each(transports)('over %s', (transport) => {
    /** How many there are in each list that is filtered by instants. `sales` reads lines where it groups by both. */
    const counted = async (bound: 'from' | 'to', value: string) => {
      const other = bound === 'from' ? ', to: "2027-01-01T00:00:00Z"' : ', from: "2016-12-01T00:00:00Z"';
      const filter = `${bound}: "${value}"`;
      const { data, errors } = await over(
        transport,
        gateway,
      )(`{
        orders(filter: {${filter}}) { totalCount nodes { id } }
        within: orders(filter: {${filter}${other}}) { totalCount nodes { id } }
        activity(filter: {${filter}, actions: [PRODUCT_KEY_REVEALED]}) { totalCount nodes { id } }
        activityWithin: activity(filter: {${filter}${other}, actor: "anna@partner.example"}) { totalCount nodes { id } }
        lines: sales(groupBy: [CUSTOMER, PRODUCT], filter: {${filter}}) { count }
        ${bound === 'to' ? `software(filter: {expiresBefore: "${value}"}) { totalCount nodes { id } }` : ''}
      }`);
      if (errors) throw new Error(JSON.stringify(errors));
      const { lines, ...lists } = data;
      const counts = Object.values(lists as Record<string, { totalCount: number; nodes: object[] }>).flatMap(
        ({ totalCount, nodes }) => [totalCount, nodes.length],
      );
      return [...new Set([...counts, (lines as { count: number }[]).reduce((sum, { count }) => sum + count, 0)])];
    };

    test.each(bounds)('what is finer than the tables is compared, not cut: %s', async (bound, isAtOrAfter) => {
      expect(await counted('from', bound)).toEqual([isAtOrAfter ? 1 : 0]);
      expect(await counted('to', bound)).toEqual([isAtOrAfter ? 1 : 2]);
    });

    test.each(leapSeconds)('a leap second lies before the month that follows: %s', async (bound) => {
      expect(await counted('from', bound)).toEqual([2]);
      expect(await counted('to', bound)).toEqual([0]);
    });

    test('a price holds until the instant at which it ends, however fine the question', async () => {
      const sku = await aSku(gateway);
      await aPrice(gateway, sku, '10.00', { from: AT, to: '2026-05-04T10:00:00.130Z' });
      const priceAt = async (at: string) => {
        const { data } = await over(
          transport,
          gateway,
        )(
          `{ product(productId: "${sku.productId}") { skus { skuId price(market: "US", at: "${at}") { unitPrice { amount } } } } }`,
        );
        return (
          data.product.skus.find(({ skuId }: { skuId: string }) => skuId === sku.skuId).price?.unitPrice.amount ?? null
        );
      };
      expect(await priceAt('2026-05-04T10:00:00.1279999Z')).toBeNull();
      expect(await priceAt('2026-05-04T10:00:00.1280001Z')).toBe('10.00');
      expect(await priceAt('2026-05-04T10:00:00.1299999Z')).toBe('10.00');
      expect(await priceAt('2026-05-04T10:00:00.13Z')).toBeNull();
      expect(await priceAt('2016-12-31T23:59:60Z')).toBeNull();
    });
  });

  test.each(bounds)('an export is bounded as the list is: %s', async (bound, isAtOrAfter) => {
    const lines = async (parameter: string) => {
      const address = `${gateway.url}/exports/activity.jsonl?actor=anna@partner.example&${parameter}=${encodeURIComponent(bound)}`;
      const authorization = `Bearer ${await gateway.token('GLOBAL_ADMIN')}`;
      const response = await fetch(address, { headers: { authorization } });
      expect(response.status).toBe(200);
      return (await response.text()).split('\n').length - 1;
    };
    expect(await lines('from')).toBe(isAtOrAfter ? 1 : 0);
    expect(await lines('to')).toBe(isAtOrAfter ? 1 : 2);
  });

  test('a stream delivers what its list would show, replayed and live', async () => {
    const { data } = await gateway.run('{ activity(first: 1) { pageInfo { endCursor } } }');
    const document = `subscription ($after: String, $from: DateTime, $to: DateTime) {
      activity(after: $after, filter: {from: $from, to: $to, actor: "anna@partner.example"}) { __typename ... on ActivityRecorded { entry { at } } }
    }`;
    const { endCursor: after } = data.activity.pageInfo;
    const stream = await gateway.subscribe(document, {
      after,
      from: '2026-05-04T10:00:00.1279Z',
      to: '2026-05-04T10:00:00.1280001Z',
    });
    const none = await gateway.subscribe(document, {
      after,
      from: '2026-05-04T10:00:00.1280001Z',
      to: '2026-05-04T10:00:00.129Z',
    });
    expect(await stream.nextOf('ActivityRecorded')).toMatchObject({ entry: { at: AT } });
    await stream.nextOf('FeedCaughtUp');
    expect((await none.next()).data.activity.__typename).toBe('FeedCaughtUp');
    await anEntry('2026-05-04T10:00:00.127Z');
    await anEntry('2026-05-04T10:00:00.129Z');
    await anEntry(AT);
    expect(await stream.nextOf('ActivityRecorded')).toMatchObject({ entry: { at: AT } });
    await stream.end();
    await none.end();
  });
});
