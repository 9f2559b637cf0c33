import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { GraphQLField } from 'graphql';
import { costOfText, points } from '../../src/cost/points.js';
import { DEAR } from '../../src/database/lanes.js';
import { marketRead } from '../../src/modules/catalog/market.read.js';
import { LARGE_CUSTOMER } from '../../src/read/weights.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { rootReads } from '../../src/schema/read-model.js';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway, testCosts } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged, openRaw } from '../support/raw-socket.js';
import { over, transports } from '../support/transports.js';

// biome-ignore lint/suspicious/noExplicitAny: fields are looked at by name
const schema: any = await buildGraph();
type Field = GraphQLField<unknown, unknown>;
const ONE = '{ customer(by: { domain: "a.example" }) { id } }';
const COUNTS = `{ ${Array.from({ length: 20 }, (_, at) => `a${at}: activity { totalCount }`).join(' ')} }`;
const LIVE = 'subscription { activity { ... on ActivityRecorded { entry { id order { lines { id } } } } } }';
/** Rows of a gateway that has been in use for years. */
const SIZES = {
  Customer: 5_000,
  Order: 100_000,
  OrderLine: 150_000,
  Entitlement: 150_000,
  ActivityEntry: 500_000,
  Product: 60,
};

describe(`what operations cost, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      config: {
        cost: { ...testCosts, operation: { everybody: 5_000, byRole: new Map([['REPORT_VIEWER', 50_000]]) } },
      },
    });
    const { sizes } = gateway.gateway.services.costs;
    for (const [type, rows] of Object.entries(SIZES)) sizes.set(type, rows);
  });
  afterAll(() => gateway.stop());

  const post = async (
    body: object,
    headers: Record<string, string> = {},
    as: 'GLOBAL_ADMIN' | 'REPORT_VIEWER' | null = 'GLOBAL_ADMIN',
  ) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(as && { authorization: `Bearer ${await gateway.token(as)}` }),
        ...headers,
      },
      body: JSON.stringify(body),
    });
    // biome-ignore lint/suspicious/noExplicitAny: tests read answers as clients do
    return { status: response.status, headers: response.headers, ...((await response.json()) as any) };
  };
  const asked = async (
    query: string,
    variables: object = {},
    as: 'GLOBAL_ADMIN' | 'REPORT_VIEWER' = 'REPORT_VIEWER',
  ) => {
    const { extensions, errors } = await post({ query, variables }, { 'x-csp-cost': '1' }, as);
    return (extensions?.cost ?? errors[0].extensions.cost).asked as number;
  };

  describe('are told to whoever asks, whatever the role', () => {
    const told = { asked: 1, allowed: 5_000, left: expect.any(Number) };

    test('over HTTP by a header or by the operation, new or known, and to nobody else', async () => {
      for (const _turn of ['new', 'known', 'fast']) {
        expect((await post({ query: ONE }, { 'x-csp-cost': '1' })).extensions).toEqual({ cost: told });
        expect((await post({ query: ONE, extensions: { cost: true } })).extensions).toEqual({ cost: told });
        expect((await post({ query: ONE })).extensions).toBeUndefined();
      }
      expect((await post({ query: '{ viewer { roles } }' }, { 'x-csp-cost': '1' }, null)).extensions).toEqual({
        cost: told,
      });
    });

    test('over WebSocket by the payload of connection_init, or by the operation', async () => {
      const authorization = `Bearer ${await gateway.token('SALES_AGENT')}`;
      const asking = await openRaw(gateway);
      asking.send({ type: 'connection_init', payload: { authorization, 'x-csp-cost': '1' } });
      await asking.next();
      asking.send({ id: '1', type: 'subscribe', payload: { query: ONE } });
      expect((await asking.next()).payload).toEqual({ data: { customer: null }, extensions: { cost: told } });
      asking.socket.terminate();
      const silent = await openAcknowledged(gateway, await gateway.token('SALES_AGENT'));
      silent.send({ id: '1', type: 'subscribe', payload: { query: ONE, extensions: { cost: true } } });
      expect((await silent.next()).payload.extensions).toEqual({ cost: told });
      await silent.next();
      silent.send({ id: '2', type: 'subscribe', payload: { query: ONE } });
      expect((await silent.next()).payload.extensions).toBeUndefined();
      silent.socket.terminate();
    });

    test('as an event stream by the header, for each entry', async () => {
      const events = await openEvents(gateway, { query: LIVE, headers: { 'x-csp-cost': '1' } });
      expect((await events.next())?.data.extensions).toEqual({ cost: { ...told, asked: 6 } });
      events.end();
    });
  });

  test('go by page sizes, also in variables, and by what is inside', async () => {
    const page = (first: number) => points.page + points.row * first;
    expect(await asked('{ customers(first: 50) { nodes { id } } }')).toBe(page(50));
    expect(await asked('{ customers { edges { node { id } } } }')).toBe(page(20));
    const sized = 'query ($n: Int = 30) { customers(first: $n) { nodes { id } } }';
    expect(await asked(sized)).toBe(page(30));
    expect(await asked(sized, { n: 100 })).toBe(page(100));
    const inside = '{ customers(first: 10) { nodes { orders(first: 100) { nodes { id } } } } }';
    expect(await asked(inside)).toBe(Math.ceil(page(10) + 10 * (points.nestedPage + 100 * points.row)));
  });

  test('go by counts, as often as they are asked for, and by what filters make of them', async () => {
    const count = await asked('{ orders { totalCount } }');
    expect(count).toBeGreaterThan(200);
    expect(await asked('{ a: orders { totalCount } b: orders { totalCount } }')).toBeGreaterThan(1.9 * count);
    expect(await asked('{ orders(filter: { kind: LINUX_PLAN }) { totalCount } }')).toBeGreaterThan(4 * count);
    const filtered = 'query ($f: OrderFilter) { orders(filter: $f) { totalCount } }';
    expect(await asked(filtered, { f: { kind: 'LINUX_PLAN' } })).toBeGreaterThan(4 * count);
    expect(await asked(filtered, { f: { customerId: 'cus_x' } })).toBeLessThan(10);
    const some = 'query ($b: Boolean!) { orders(first: 1) { nodes { id } totalCount @include(if: $b) } }';
    expect(await asked(some, { b: false })).toBe(2);
    expect(await asked(some, { b: true })).toBeGreaterThan(0.9 * count);
    expect(await asked('{ customers(first: 1, filter: { search: "a" }) { nodes { id } } }')).toBeGreaterThan(100);
  });

  test('go by the rows of the narrowest filter, where the others may throw them away', async () => {
    const page = points.page + points.row;
    const walk = (share: number) => Math.ceil(page + points.walked * SIZES.ActivityEntry * share);
    const entries = (filter: object) =>
      asked('query ($f: ActivityFilter) { activity(first: 1, filter: $f) { nodes { id } } }', { f: filter });
    const [actor, actorObjectId, actions] = ['a@partner.example', 'b', ['ORDER_PLACED']];
    for (const one of [{ actor }, { actorObjectId }, { actions }]) expect(await entries(one)).toBe(Math.ceil(page));
    // The days of a span are looked for one by one, also of one that began before the log.
    expect(await entries({ from: '1970-01-01T00:00:00Z', actions })).toBe(Math.ceil(page + 50));
    expect(await entries({ from: '1970-01-01T00:00:00Z', to: '1980-01-01T00:00:00Z' })).toBe(Math.ceil(page + 100));
    // No index has a product's entries in the order of the log.
    for (const more of [{}, { from: '2020-01-01T00:00:00Z' }])
      expect(await entries({ productId: 'P', ...more })).toBeGreaterThan(0.4 * points.walked * SIZES.ActivityEntry);
    expect(await entries({ actor, actorObjectId })).toBe(walk(0.1));
    expect(walk(0.1)).toBeGreaterThan(DEAR);
    expect(await entries({ actor, actorObjectId, actions, productId: 'DG7GMGF0D5RK' })).toBe(walk(0.15));
    expect(await entries({ actor: null, actorObjectId, actions: null })).toBe(Math.ceil(page));
    // What a dashboard of one customer asks stays cheap.
    expect(await entries({ customerId: 'cus_x', actions })).toBeLessThan(30);
    const nested = '{ customers(first: 1) { nodes { activity(first: 1, filter: { actor: "a" }) { nodes { id } } } } }';
    expect(await asked(nested)).toBeLessThan(10);
    const orders = '{ orders(first: 1, filter: { placedBy: "a", statuses: [PENDING] }) { nodes { id } } }';
    expect(await asked(orders)).toBe(Math.ceil(page + points.walked * SIZES.Order * 0.1));
    expect(await asked('{ orders(first: 1, filter: { productId: "P" }) { nodes { id } } }')).toBeGreaterThan(DEAR);
    expect(await asked('{ orders(first: 1, filter: { kind: LINUX_PLAN }) { nodes { id } } }')).toBeGreaterThan(DEAR);
  });

  test('of exports go by filters as well, whether or not a line passes them', async () => {
    const { spent } = gateway.gateway.services.costs;
    const sum = () => [...spent.values()].reduce((all, one) => all + one, 0);
    const costOf = async (query: string) => {
      const before = sum();
      const authorization = `Bearer ${await gateway.token('GLOBAL_ADMIN')}`;
      const answer = await fetch(`${gateway.url}/exports/activity.csv${query}`, { headers: { authorization } });
      expect((await answer.text()).trim().split('\n')).toHaveLength(1);
      return sum() - before;
    };
    const walked = points.walked * SIZES.ActivityEntry * 0.1;
    expect(await costOf('?actor=a')).toBe(points.export);
    expect(await costOf('?actor=a&actorObjectId=b')).toBe(points.export + walked);
  });

  test('go by dimensions and period of sums', async () => {
    const sums = (groupBy: string, filter = '{}') =>
      asked(`{ sales(groupBy: [${groupBy}], filter: ${filter}) { count } }`);
    const [months, whole] = [await sums('MONTH'), await sums('CUSTOMER, PRODUCT, MONTH')];
    expect(whole).toBeGreaterThan(5 * months);
    const now = Date.now();
    const lately = `{ from: "${new Date(now - 30 * 86_400_000).toISOString()}", to: "${new Date(now).toISOString()}" }`;
    expect(await sums('CUSTOMER, PRODUCT, MONTH', lately)).toBeLessThan(whole / 10);
    expect(await sums('PRODUCT', '{ customerId: "cus_x" }')).toBeLessThan(whole / 10);
  });

  test('go by ids and mutations', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => `ord_${at}`);
    expect(await asked('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })).toBe(10);
    const { extensions } = await post(
      { query: 'mutation { endSession(input: { sessionId: "ses_x" }) { __typename } }' },
      { 'x-csp-cost': '1' },
    );
    expect(extensions.cost.asked).toBeGreaterThanOrEqual(points.mutation);
  });

  test('go by all rows of a list at the root that is no page, and by what each looks up', async () => {
    const { sizes } = gateway.gateway.services.costs;
    sizes.set('Market', 250);
    const each = points.row + (marketRead.fields['closedTo']?.weight as number);
    expect(await asked('{ markets { closedTo } }')).toBe(Math.ceil(250 * each));
    expect(await asked('{ a: markets(closedTo: LINUX_PLAN) { code } b: markets { code } }')).toBe(500 * points.row);
  });

  test('go by what a list may have at most where a single row leads to it, else by the average', async () => {
    const { most } = schema.getType('Order').getFields()['lines'].extensions;
    expect(most).toBe(50);
    const list = points.row * most;
    const order = (selected: string) => asked(`{ order(by: { number: "0" }) { ${selected} } }`);
    expect(await order('lines { id }')).toBe(Math.ceil(points.one + list));
    const again = 'entitlement { order { lines { id } } }';
    const inside = points.row + 2 * points.one + list;
    expect(await order(`lines { ${again} }`)).toBe(Math.ceil(points.one + most * inside));
    const page = (selected: string) => asked(`{ orders(first: 100) { nodes { ${selected} } } }`);
    expect(await page('lines { id }')).toBe(points.page + 100 * (points.row + points.listLength * points.row));
    expect(await page('customer { orders(first: 1) { nodes { lines { id } } } }')).toBeGreaterThan(100 * list);
    // Cancellations share the lines of their order.
    expect(await order('cancellations { lines { id } }')).toBeLessThan(50);
  });

  test('go by what a large customer has where it may be the same one for all rows', async () => {
    const of = 'orders(first: 1) { totalCount }';
    const each = (timesAverage: number) =>
      points.nestedPage + points.row + points.one + points.counted * timesAverage * (SIZES.Order / SIZES.Customer);
    expect(await asked(`{ customers(first: 100) { nodes { ${of} } } }`)).toBe(
      Math.round(points.page + 100 * (points.row + each(points.pageOfCustomers))),
    );
    expect(await asked(`{ orders(first: 100) { nodes { customer { ${of} } } } }`)).toBe(
      Math.round(points.page + 100 * (points.row + points.one + each(LARGE_CUSTOMER))),
    );
  });

  test('go by the lines that a resolver goes through, of each root field that no read answers', async () => {
    const unpriced = Object.values<Field>(schema.getQueryType().getFields()).filter(
      ({ name, extensions }) => rootReads[name] === undefined && extensions['cost'] === undefined,
    );
    expect(unpriced.map(({ name }) => name)).toEqual([]);
    const quote = (more: string) => asked(`{ cancellationQuote(orderId: "ord_x"${more}) { allowed } }`);
    const [whole, one] = [await quote(''), await quote(', lineNumbers: [0]')];
    expect(whole).toBeGreaterThan(5 * one);
    expect(whole).toBeGreaterThan(200);
    const purchase = 'mutation ($i: PurchaseInput!) { purchase(input: $i) { __typename } }';
    const bought = (count: number) => {
      const lines = Array.from({ length: count }, () => ({ productId: 'DG7GMGF0FKZV', skuId: '0001', quantity: 1 }));
      return asked(
        purchase,
        { i: { idempotencyKey: `many-${count}`, customerId: 'cus_00000000-0000-7000-8000-000000000000', lines } },
        'GLOBAL_ADMIN',
      );
    };
    expect(await bought(1)).toBeGreaterThan(points.mutation);
    expect(await bought(41)).toBe((await bought(1)) + 40 * 100);
    // Many lines at once wait among what is dear, and leave the other connections to everybody else.
    const turns = jest.spyOn(gateway.gateway.services.lanes, 'run');
    await bought(2);
    expect(turns.mock.calls.map(([{ cost }]) => cost >= DEAR)).not.toContain(true);
    await bought(42);
    expect(turns.mock.calls.map(([{ cost }]) => cost >= DEAR)).toContain(true);
    turns.mockRestore();
    const cancelled = (named: string) =>
      asked(
        `mutation { cancelOrder(input: { idempotencyKey: "k", orderId: "ord_x", acknowledged: true${named} }) { __typename } }`,
        {},
        'GLOBAL_ADMIN',
      );
    expect(await cancelled('')).toBeGreaterThan(await cancelled(', lineNumbers: [0]'));
  });

  test.each(transports)(
    'go by the bytes of the answer where those are more than was judged, over %s',
    async (transport) => {
      const { spent } = gateway.gateway.services.costs;
      const sum = () => [...spent.values()].reduce((all, one) => all + one, 0);
      const token = await gateway.token('GLOBAL_ADMIN', { user: `reads-much-${transport}` });
      const query = '{ markets { n1: name n2: name n3: name n4: name c1: currencies c2: currencies closedTo } }';
      gateway.gateway.services.costs.sizes.set('Market', 0);
      for (let turn = 0; turn < 2; turn += 1) {
        const before = sum();
        const { data } = await over(transport, gateway)(query, {}, { token });
        const size = JSON.stringify(data).length * points.answeredByte;
        expect(size).toBeGreaterThan(30);
        expect(sum() - before).toBeGreaterThan(0.9 * size);
      }
    },
  );

  test('go by what is asked of the schema', async () => {
    const type = (at: number) => `t${at}: __type(name: "Query") { name fields { name type { name } } }`;
    const one = points.introspectedType + 5 * points.introspectedField;
    expect(await asked(`{ ${type(0)} }`)).toBe(one);
    expect(await asked(`{ ${Array.from({ length: 20 }, (_, at) => type(at)).join(' ')} }`)).toBe(20 * one);
    const inFragment = '{ __type(name: "Query") { ...T } } fragment T on __Type { name fields { name type { name } } }';
    expect(await asked(inFragment)).toBe(one);
    expect(await asked('{ __typename }')).toBe(1);
    expect(await asked('{ __schema { types { name } } }')).toBe(points.introspection);
  });

  test.each(['HTTP', 'WebSocket', 'SSE'] as const)(
    'a document that is not known is paid for by its size over %s, refused or not, until the budget is spent',
    async (transport) => {
      const user = `reader-${transport}`;
      const token = await gateway.token('GLOBAL_ADMIN', { user });
      const { costs } = gateway.gateway.services;
      const ask = async (query: string) => {
        if (transport === 'SSE') {
          const events = await openEvents(gateway, { query, as: { token } });
          const event = await events.next();
          events.end();
          return event?.data;
        }
        return over(transport as 'HTTP', gateway)(query, {}, { token });
      };
      const spent = () => [...costs.spent.values()].reduce((sum, points) => sum + points, 0);
      const before = spent();
      const refused = `{ nothing${transport} } # ${'x'.repeat(50_000)}`;
      expect((await ask(refused)).errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
      // Of the request itself too, which is a little longer.
      const sent = spent() - before - 1 - Math.floor(refused.length * points.character);
      expect(sent).toBeGreaterThanOrEqual(costOfText(refused.length));
      expect(sent).toBeLessThanOrEqual(costOfText(refused.length + 250));
    },
  );

  test.each(transports)(
    'what does not run for its variables or the role costs next to nothing over %s',
    async (transport) => {
      const { spent } = gateway.gateway.services.costs;
      const run = over(transport, gateway);
      const query = 'query ($n: Int!) { orders { totalCount } customers(first: $n) { nodes { id } } }';
      const mutation = 'mutation { endSession(input: { sessionId: "ses_x" }) { __typename } }';
      const sum = () => [...spent.values()].reduce((all, one) => all + one, 0);
      for (let turn = 0; turn < 2; turn += 1) {
        const before = sum();
        expect((await run(query, { n: 'many' })).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
        expect((await run(mutation, {}, 'SALES_AGENT')).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
        expect(sum() - before).toBeLessThanOrEqual(2);
      }
    },
  );

  test('fragments are weighed where they are spread', async () => {
    const page =
      '{ ...A } fragment A on Query { customers(first: 10) { nodes { ...B } } } fragment B on Customer { orders(first: 100) { nodes { id } } }';
    expect(await asked(page)).toBe(
      await asked('{ customers(first: 10) { nodes { orders(first: 100) { nodes { id } } } } }'),
    );
  });

  test.each(transports)(
    'beyond what one operation may cost it is refused over %s, with what it was',
    async (transport) => {
      const run = over(transport, gateway);
      const { data, errors } = await run(COUNTS);
      expect(data).toBeUndefined();
      expect(errors).toEqual([
        expect.objectContaining({
          message: expect.stringMatching(/costs \d+ points, .* may cost 5000\. Ask for less/),
          extensions: {
            code: 'LIMIT_EXCEEDED',
            limit: 'cost',
            cost: { asked: expect.any(Number), allowed: 5_000, left: expect.any(Number) },
          },
        }),
      ]);
      // As a role that may ask for more.
      expect((await run(COUNTS.replaceAll('activity', 'orders'), {}, 'REPORT_VIEWER')).errors).toBeUndefined();
    },
  );

  test('the refusal is the same for a document that is known, with 400, and is counted', async () => {
    const query = COUNTS.replaceAll('activity', 'orders(filter: { statuses: [PENDING] })');
    const refused = () => post({ query }, {}, 'GLOBAL_ADMIN');
    const before = await metricOf(gateway, 'csp_graph_refusals_total{bound="cost"}');
    // Known by somebody who may.
    expect((await post({ query }, {}, 'REPORT_VIEWER')).status).toBe(200);
    for (let turn = 0; turn < 2; turn += 1) {
      const { status, errors } = await refused();
      expect([status, errors[0].extensions.limit]).toEqual([400, 'cost']);
    }
    expect(await metricOf(gateway, 'csp_graph_refusals_total{bound="cost"}')).toBe(before + 2);
    expect(await metricOf(gateway, 'csp_graph_cost_points_total{role="REPORT_VIEWER"}')).toBeGreaterThan(1_000);
  });

  test('a subscription is judged by one entry', async () => {
    const entry = `subscription { activity { ... on ActivityRecorded { entry { customer { orders(first: 100) { nodes { lines { sku { product { title } } } } totalCount } } } } } }`;
    const events = await openEvents(gateway, {
      query: entry.replace('first: 100', 'first: 10'),
      headers: { 'x-csp-cost': '1' },
    });
    expect((await events.next())?.data.extensions.cost.asked).toBeGreaterThan(10);
    events.end();
  });
});
