import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createSourceEventStream, execute, type GraphQLSchema, parse } from 'graphql';
import { KeySets } from '../../src/auth/key-sets.js';
import { createAuthenticate } from '../../src/auth/tokens.js';
import { createContext } from '../../src/context/context.js';
import type { FeedMessage } from '../../src/feed/delivery/feed-message.js';
import { FeedSubscription } from '../../src/feed/delivery/subscription.js';
import type { NextEntries } from '../../src/feed/replay.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { engine, type TestDatabase, testDatabase } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { openEvents } from '../support/event-stream.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { stockShop } from '../support/shop.js';
import { buySoftware, cancelAndConfirm, settled } from '../support/software.js';
import { aTenant, type TestTenant } from '../support/tenants.js';
import { until } from '../support/until.js';

const WIDE = `subscription ($after: String, $filter: ActivityFilter, $first: Int = 1) {
  feed: activity(after: $after, filter: $filter) {
    __typename
    ... on ActivityRecorded {
      cursor
      entry {
        id at action outcome correlationId actor { userPrincipalName role application } resource { label }
        customer { companyName contact { email } orders(first: $first, orderBy: { field: PLACED_AT, direction: ASC }) { nodes { number total { amount currency } } } }
        order { number placedAt total { amount currency } }
        detail { __typename ... on OrderPlacedDetail { total { amount } } ... on CancellationRequestedDetail { credit { amount } reason } }
      }
    }
    ... on FeedCaughtUp { cursor }
  }
}`;
const NARROW = 'subscription ($after: String) { activity(after: $after) { ... on ActivityRecorded { cursor } } }';
/** Messages of 2 kB that need no read each: more than fits into the system's buffers. */
const LONG = NARROW.replace(
  '{ cursor }',
  `{ cursor ${Array.from({ length: 14 }, (_, at) => `c${at}: cursor`).join(' ')} }`,
);
const CONFIRMED = `subscription ($after: String) {
  cancellationConfirmed(after: $after) { __typename ... on CancellationConfirmed { cursor cancellation { id credit { amount } order { number customer { companyName } } } } }
}`;

/** A subscriber that notes the entries that it gets. */
interface Listener {
  told: unknown[];
  pause(): void;
  resume(): void;
  end(): void;
}

interface Asked {
  as: Caller;
  query: string;
  variables: Record<string, unknown>;
}

describe(`shared delivery, on ${engine}`, () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  let schema: GraphQLSchema;
  let mine: TestTenant;
  let theirs: TestTenant;
  beforeAll(async () => {
    database = await testDatabase();
    gateway = await startTestGateway({ database });
    schema = await buildGraph();
    await stockShop(gateway);
    mine = await aTenant(gateway);
    theirs = await aTenant(gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    await database.drop();
  });

  const tokenOf = async (as: Caller) => (typeof as === 'string' ? gateway.token(as) : as.token);
  const beginning = async () => {
    const { data } = await gateway.run('{ activity(first: 1) { edges { cursor } } }');
    return data.activity.edges[0].cursor as string;
  };
  /** What one subscriber gets who is alone: pulled by itself, each message executed for it with a context of its own. */
  async function alone({ as, query, variables }: Asked, last: string): Promise<unknown[]> {
    const { services } = gateway.gateway;
    const { auth, signingSecret } = services.config;
    const keySets = new KeySets({ log: services.log });
    const authenticate = createAuthenticate({ auth, signingSecret, keySets, log: services.log });
    const viewer = await authenticate(`Bearer ${await tokenOf(as)}`);
    const args = { schema, document: parse(query), variableValues: variables };
    const source = await createSourceEventStream({ ...args, contextValue: createContext(services, { viewer }) });
    if (!(source instanceof FeedSubscription)) throw new Error(JSON.stringify(source));
    const told: unknown[] = [];
    const replay = services.feed.replay({ users: [source.user], cost: 0 });
    let next: Pick<NextEntries, 'entries' | 'position'> = { entries: [], position: source.start };
    for (;;) {
      next = await services.feed.after(next.position, source.filter, replay);
      for (const entry of next.entries) {
        const rootValue: FeedMessage = { type: 'entry', cursor: services.feedCursors.encode(entry), entry };
        const contextValue = createContext(services, { viewer });
        const result = await execute({ ...args, rootValue, contextValue });
        const errors = [...(result.errors ?? []), ...contextValue.denials.errors];
        const message = JSON.parse(JSON.stringify({ data: result.data, ...(errors.length > 0 ? { errors } : {}) }));
        if (isEntry(message)) told.push(message);
        if (rootValue.cursor === last) return told;
      }
      if (services.feedCursors.encode(next.position) === last) return told;
    }
  }
  const cursorIn = (message: unknown) =>
    Object.values((message as { data: Record<string, { cursor?: string }> }).data)[0]?.cursor;
  const isEntry = (message: unknown) => {
    const [payload] = Object.values((message as { data: Record<string, { __typename?: string }> }).data);
    return payload?.__typename !== 'FeedCaughtUp' && cursorIn(message) !== undefined;
  };
  const open: Listener[] = [];
  afterEach(() => {
    for (const listener of open.splice(0)) listener.end();
  });
  async function listenOverSocket({ as, query, variables }: Asked): Promise<Listener> {
    const raw = await openAcknowledged(gateway, await tokenOf(as));
    raw.send({ id: crypto.randomUUID(), type: 'subscribe', payload: { query, variables } });
    const next = async () => {
      for (;;) {
        const { payload, type } = await raw.next();
        if (type === 'error') throw new Error(JSON.stringify(payload));
        if (type === 'next') return payload;
      }
    };
    const { socket } = raw;
    return listening(next, {
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => socket.terminate(),
    });
  }
  async function listenOverEvents(asked: Asked): Promise<Listener> {
    const events = await openEvents(gateway, asked);
    const next = async () => {
      const event = await events.next();
      // Whoever ends the test ends the stream.
      if (!event) return new Promise<never>(() => undefined);
      if (event.event !== 'next') throw new Error(JSON.stringify(event));
      return event.data;
    };
    return listening(next, events);
  }
  /** Notes the entries that come, in the background. */
  function listening(next: () => Promise<unknown>, line: Pick<Listener, 'pause' | 'resume' | 'end'>): Listener {
    const told: unknown[] = [];
    void (async () => {
      for (;;) {
        const message = await next();
        if (isEntry(message)) told.push(message);
      }
    })().catch((error) => told.push({ failed: String(error) }));
    const listener = { ...line, told };
    open.push(listener);
    return listener;
  }
  const transports = [
    ['WebSocket', listenOverSocket],
    ['event streams', listenOverEvents],
  ] as const;
  const subscribers = async () => ({
    all: await metricOf(gateway, 'csp_graph_feed_subscribers'),
    catchingUp: await metricOf(gateway, 'csp_graph_feed_subscribers_catching_up'),
    shared: await metricOf(gateway, 'csp_graph_feed_shared_subscriptions'),
  });
  const live = (all: number) => async () => {
    const counts = await subscribers();
    return counts.all === all && counts.catchingUp === 0;
  };

  test('is what each subscriber would have got alone: documents, roles, tenants, filters, cursors', async () => {
    const start = await beginning();
    const callers: Caller[] = ['GLOBAL_ADMIN', 'ACCOUNT_ADMIN', 'MARKETING_CONTENT_ADMIN', mine.admin, theirs.admin];
    const customerId = mine.ids.Customer;
    const asked: Asked[] = [
      ...callers.flatMap((as) => [
        { as, query: WIDE, variables: { after: start, first: 2 } },
        { as, query: WIDE, variables: { first: 1 } },
        { as, query: WIDE, variables: { after: start, first: 1, filter: { customerId } } },
        {
          as,
          query: WIDE,
          variables: { after: start, filter: { actions: ['ORDER_PLACED', 'CANCELLATION_CONFIRMED'] } },
        },
        { as, query: NARROW, variables: { after: start } },
      ]),
      ...(['ADMIN_AGENT', 'BILLING_ADMIN', mine.admin, theirs.admin] satisfies Caller[]).map((as) => ({
        as,
        query: CONFIRMED,
        variables: { after: start },
      })),
    ];
    // Both ways: the second joins a shared subscription that is there.
    const heard = await Promise.all([...asked.map(listenOverSocket), ...asked.map(listenOverEvents)]);
    await until('all are live', live(heard.length));
    const { shared } = await subscribers();
    expect(shared).toBe(asked.length);
    const joined = gateway.gateway.services.feedCursors.encode(gateway.gateway.services.feed.position);
    for (const tenant of [mine, theirs]) await cancelAndConfirm(gateway, await buySoftware(gateway, tenant.customer));
    await settled(gateway);
    const late = await Promise.all(asked.map((one, at) => (at % 2 ? listenOverSocket : listenOverEvents)(one)));
    const last = gateway.gateway.services.feedCursors.encode(gateway.gateway.services.feed.position);

    const expected = await Promise.all(
      asked.map((one) =>
        alone({ ...one, variables: { ...one.variables, after: one.variables['after'] ?? joined } }, last),
      ),
    );
    expect(expected.flat().length).toBeGreaterThan(100);
    for (const [index, one] of asked.entries()) {
      const what = JSON.stringify([one.as, one.variables]);
      const wanted = expected[index] as unknown[];
      for (const { told } of [heard[index], heard[asked.length + index]] as { told: unknown[] }[]) {
        await until(`${what} has everything`, () => told.length >= wanted.length);
        expect([what, told]).toEqual([what, wanted]);
      }
      const { told } = late[index] as { told: unknown[] };
      if (one.variables['after'] === undefined) continue;
      await until(`${what} has everything, who came later`, () => told.length >= wanted.length);
      expect([what, told]).toEqual([what, wanted]);
    }
    const texts = heard[asked.findIndex(({ as }) => as === theirs.admin)]?.told;
    for (const mark of mine.marks) expect(JSON.stringify(texts)).not.toContain(mark);
    for (const listener of [...heard, ...late]) listener.end();
    await until('nothing is left', async () => Object.values(await subscribers()).every((count) => count === 0));
  });

  test('executes an entry once for all who share a subscription, wherever they began and whichever way they came', async () => {
    const { readSource } = gateway.gateway.services;
    const { execute: executed } = readSource;
    const start = await beginning();
    const asked = Array.from({ length: 40 }, (_, at) => ({
      as: 'GLOBAL_ADMIN' as const,
      query: WIDE,
      variables: { after: at % 2 ? start : undefined },
    }));
    const heard = await Promise.all(asked.map((one, at) => (at % 4 < 2 ? listenOverSocket : listenOverEvents)(one)));
    await until('all are live', live(asked.length));
    expect(await subscribers()).toEqual({ all: 40, catchingUp: 0, shared: 1 });
    const already = heard.map(({ told }) => told.length);
    let statements = 0;
    readSource.execute = (...statement) => {
      statements += 1;
      return executed(...statement);
    };
    try {
      await gateway.sql(insertEntries, [5]);
      for (const [index, { told }] of heard.entries())
        await until('five more are told', () => told.length === (already[index] as number) + 5);
    } finally {
      readSource.execute = executed;
    }
    // One for the customer of each batch that the reader found: five at most, not two hundred.
    expect(statements).toBeGreaterThan(0);
    expect(statements).toBeLessThanOrEqual(5);
    const texts = heard.map(({ told }) => JSON.stringify(told.slice(-5)));
    expect(new Set(texts).size).toBe(1);
    for (const listener of heard) listener.end();
    await until('nothing is left', async () => Object.values(await subscribers()).every((count) => count === 0));
  });

  test.each(transports)(
    'over %s a connection that takes nothing falls behind, little waits for it, and it gets everything once it reads again',
    async (_, listen) => {
      const asked = { as: 'GLOBAL_ADMIN', query: LONG, variables: {} } as const;
      const slow = await listen(asked);
      const quick = await listen(asked);
      await until('both are live', live(2));
      slow.pause();
      const total = 12_000;
      for (let done = 0; done < total; done += 1_000) await gateway.sql(insertEntries, [1_000]);
      await until('the quick one has everything', () => quick.told.length === total);
      expect((await subscribers()).catchingUp).toBe(1);
      // The bound, and the batch that went past it.
      expect(await metricOf(gateway, 'csp_graph_sockets_backlog_bytes')).toBeLessThan(2 * 1024 * 1024);
      expect(slow.told.length).toBeLessThan(total);
      slow.resume();
      await until('the slow one has everything', () => slow.told.length === total);
      expect(slow.told).toEqual(quick.told);
      await until('it is live again', live(2));
      for (const listener of [slow, quick]) listener.end();
      await until('nothing is left', async () => Object.values(await subscribers()).every((count) => count === 0));
    },
  );
});
