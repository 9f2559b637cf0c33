import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../support/shop.js';
import { over } from '../support/transports.js';

/** Compiled queries, executed ones over HTTP (no compiled query has `viewer`), and all over WebSocket. */
const ways = ['compiled over HTTP', 'executed over HTTP', 'executed over WebSocket'] as const;

describe(`arguments that are refused, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway({ config: { fulfilmentDelayMs: 3_600_000 } });
    await stockShop(gateway);
    for (let turn = 0; turn < 3; turn += 1) {
      customer = await aCustomer(gateway);
      for (let order = 0; order < 2; order += 1) await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    }
  });
  afterAll(() => gateway.stop());

  /** Asks, and gives the places of the errors with what stands there in the document. */
  const asker =
    (way: (typeof ways)[number]) =>
    async (query: string, variables: Record<string, unknown> = {}) => {
      const run = over(way.endsWith('HTTP') ? 'HTTP' : 'WebSocket', gateway);
      const text = way === 'executed over HTTP' ? query.replace(/\}$/, ' viewer { __typename } }') : query;
      const { data, errors = [] } = await run(text, variables);
      const told = errors.map(({ path, locations: [{ line, column }], extensions }) => ({
        path,
        at: /^\w+|^\$\w+/.exec(text.split('\n')[line - 1]?.slice(column - 1) ?? '')?.[0],
        code: extensions.code,
      }));
      const { viewer: _, ...answered } = data ?? {};
      return { data: data && answered, told, messages: errors.map(({ message }) => message) };
    };
  const bad = 'BAD_USER_INPUT';

  describe.each(ways)('%s', (way) => {
    const ask = asker(way);

    test('only the field is null, and the error bears its place', async () => {
      const { data, told, messages } = await ask(
        `{ customer(by: {id: "${customer.id}"}) { domain few: orders(first: 1) { nodes { status } } none: orders(first: 0) { totalCount } } }`,
      );
      expect(data).toEqual({
        customer: { domain: customer.domain, few: { nodes: [expect.anything()] }, none: null },
      });
      expect(told).toEqual([{ path: ['customer', 'none'], at: 'none', code: bad }]);
      expect(messages).toEqual(['first: must be from 1 to 100; read on with after']);
    });

    test.each([
      ['orders(first: 101)', bad],
      ['orders(first: 1, last: 1)', bad],
      ['orders(before: "broken")', bad],
      ['invoices(after: "broken")', bad],
      ['activity(after: "broken")', bad],
      ['activity(filter: {orderId: "broken"})', bad],
      ['software(after: "W10=")', bad],
      ['supportRequests(last: 0)', bad],
    ])('%s is null in every row of a list, and told once', async (field, code) => {
      const { data, told } = await ask(`{ customers(first: 2) { nodes { id wrong: ${field} { totalCount } } } }`);
      expect(data.customers.nodes).toEqual([
        { id: expect.any(String), wrong: null },
        { id: expect.any(String), wrong: null },
      ]);
      expect(told).toEqual([{ path: ['customers', 'nodes', 0, 'wrong'], at: 'wrong', code }]);
      const byEdges = await ask(
        `{ all: customers(first: 2) { edges { of: node { id wrong: ${field} { totalCount } } } } }`,
      );
      expect(byEdges.told).toEqual([{ path: ['all', 'edges', 0, 'of', 'wrong'], at: 'wrong', code }]);
    });

    test('an argument that graphql-js does not coerce is refused at its field too, deep inside lists', async () => {
      const query = `query ($market: String = "US") { orders(first: 4) { nodes { number lines { quantity sku { skuId price(market: $market) { id } } } } } }`;
      const { data, told } = await ask(query, { market: null });
      expect(data.orders.nodes).toHaveLength(4);
      for (const { number, lines } of data.orders.nodes) {
        expect(number).toEqual(expect.any(String));
        expect(lines).toEqual([{ quantity: 1, sku: { skuId: skus.perpetual.skuId, price: null } }]);
      }
      expect(told).toEqual([{ path: ['orders', 'nodes', 0, 'lines', 0, 'sku', 'price'], at: '$market', code: bad }]);
      // The same document with what is right, and again with what is wrong: neither is taken for the other.
      const right = await ask(query, { market: 'US' });
      expect(right.told).toEqual([]);
      expect(right.data.orders.nodes[0].lines[0].sku.price).toEqual({ id: expect.any(String) });
      expect((await ask(query, { market: null })).told).toHaveLength(1);
    });

    test('each refused field is told by itself, beside what else is refused', async () => {
      const { data, told } = await ask(
        `query ($size: Int) { node(id: "${customer.id}") { id ... on Customer { orders(first: $size) { totalCount } invoices(first: $size) { nodes { id } } } }
          several: nodes(ids: ["${customer.id}"]) { ... on Customer { activity(last: $size) { totalCount } } }
          orders(first: $size) { totalCount } }`,
        { size: 0 },
      );
      expect(data).toEqual({
        node: { id: customer.id, orders: null, invoices: null },
        several: [{ activity: null }],
        orders: null,
      });
      expect(told.toSorted((one, other) => `${one.path}`.localeCompare(`${other.path}`))).toEqual([
        { path: ['node', 'invoices'], at: 'invoices', code: bad },
        { path: ['node', 'orders'], at: 'orders', code: bad },
        { path: ['orders'], at: 'orders', code: bad },
        { path: ['several', 0, 'activity'], at: 'activity', code: bad },
      ]);
    });

    test('nothing below a refused field is told', async () => {
      const { told } = await ask(
        `{ customer(by: {id: "${customer.id}"}) { orders(first: 0) { nodes { customer { orders(first: 0) { totalCount } } } } } }`,
      );
      expect(told).toEqual([{ path: ['customer', 'orders'], at: 'orders', code: bad }]);
    });
  });

  test('what a mutation did is answered beside it', async () => {
    const input = {
      idempotencyKey: randomUUID(),
      customerId: customer.id,
      lines: [{ ...skus.perpetual, quantity: 1 }],
    };
    const { data, errors } = await gateway.run(
      'mutation ($input: PurchaseInput!) { purchase(input: $input) { ... on PurchaseSuccess { order { number customer { orders(first: 0) { totalCount } } } } } }',
      { input },
    );
    expect(data.purchase.order).toEqual({ number: expect.any(String), customer: { orders: null } });
    expect(errors).toMatchObject([{ path: ['purchase', 'order', 'customer', 'orders'], extensions: { code: bad } }]);
  });

  const FEED = `subscription { activity(filter: { actions: [ORDER_PLACED] }) { __typename ... on ActivityRecorded { entry { action customer { domain orders(first: 0) { totalCount } } } } } }`;
  const recorded = {
    data: { activity: { entry: { action: 'ORDER_PLACED', customer: { domain: expect.any(String), orders: null } } } },
    errors: [{ path: ['activity', 'entry', 'customer', 'orders'], extensions: { code: bad } }],
  };

  test('a stream over WebSocket goes on, and each entry tells it', async () => {
    const stream = await gateway.subscribe(FEED);
    while ((await stream.next()).data.activity.__typename !== 'FeedCaughtUp');
    for (let turn = 0; turn < 2; turn += 1) {
      await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
      expect(await stream.next()).toMatchObject(recorded);
    }
    await stream.end();
  });

  test('an event stream does too', async () => {
    const events = await openEvents(gateway, { query: FEED });
    await events.nextOf('FeedCaughtUp');
    await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    expect(await events.next()).toMatchObject({ data: recorded });
    events.end();
  });
});
