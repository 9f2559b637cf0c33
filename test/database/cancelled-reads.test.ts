import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import pg from 'pg';
import WebSocket from 'ws';
import { PurchaseDocument } from '../generated/graphql.js';
import { testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { aCustomer, buy, skus, stockShop } from '../support/shop.js';
import { until } from '../support/until.js';

const url = process.env['TEST_DATABASE_URL'];
/** Embedded, statements run one after another in the process itself: none can be cancelled. */
const onServer = url ? describe : describe.skip;
if (!url) console.warn('Cancelling needs a server: set TEST_DATABASE_URL.');

/** Statements of one user at once: half of the connections. */
const AT_ONCE = 3;
const POOL_SIZE = 2 * AT_ONCE;
const document = '{ products(first: 1) { nodes { id } } }';

onServer('a client that goes away', () => {
  let gateway: TestGateway;
  let locker: pg.Client;
  /** Within a transaction PostgreSQL shows the activity of its first look, so that looking has a session of its own. */
  let watcher: pg.Client;
  let token: string;

  /** Statements of the gateway that wait for the lock, but for that of a metric, which may have been asked for before. */
  const blocked = async () => {
    const { rows } = await watcher.query(
      `select count(*)::int as "count" from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and state = 'active'
         and query not like '%"product_key_pool"%'`,
    );
    return rows[0].count as number;
  };
  const untilBlocked = (count: number) => until(`${count} blocked statements`, async () => (await blocked()) === count);
  const ask = (signal: AbortSignal, body: object = { query: document }) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal,
    }).then(
      () => 'answered',
      () => 'gone',
    );
  const lock = () => locker.query('begin; lock table "products" in access exclusive mode');
  const expectWhole = async () => {
    await locker.query('rollback');
    const answers = await Promise.all(Array.from({ length: POOL_SIZE * 2 }, () => gateway.run(document)));
    expect(answers.map(({ errors }) => errors)).toEqual(answers.map(() => undefined));
    expect(gateway.log.filter((line) => /internal error|57014/.test(line))).toEqual([]);
  };

  beforeAll(async () => {
    const database = await testDatabase();
    if (database.config.kind !== 'server') throw new Error('needs a server');
    // The time limit cannot be what ends the statements: the tests' patience is shorter.
    const config = { ...database.config, poolSize: POOL_SIZE, statementTimeoutMs: 120_000 };
    // One user asks for everything here.
    const bounds = { operationsPerUser: 10_000, operationsPerAddress: 10_000 };
    gateway = await startTestGateway({ database, config: { database: config }, bounds });
    token = await gateway.token('GLOBAL_ADMIN');
    await stockShop(gateway);
    locker = new pg.Client({ connectionString: config.url });
    await locker.connect();
    watcher = new pg.Client({ connectionString: config.url });
    await watcher.connect();
  });
  afterAll(async () => {
    await locker.end();
    await watcher.end();
    await gateway.stop();
  });
  beforeEach(lock);
  afterEach(() => locker.query('rollback'));

  test('has its statement cancelled, fifty times in a row, and the pool stays whole', async () => {
    for (let time = 0; time < 50; time += 1) {
      const client = new AbortController();
      const answer = ask(client.signal);
      await untilBlocked(1);
      client.abort();
      expect(await answer).toBe('gone');
      await untilBlocked(0);
    }
    await expectWhole();
  });

  test('gives up its wait for a connection', async () => {
    const clients = Array.from({ length: AT_ONCE }, () => new AbortController());
    const answers = clients.map(({ signal }) => ask(signal));
    await untilBlocked(AT_ONCE);
    const late = new AbortController();
    const waiting = ask(late.signal);
    const { lanes } = gateway.gateway.services;
    await until('a read that waits for its turn', () => lanes.waiting >= 1);
    late.abort();
    expect(await waiting).toBe('gone');
    for (const client of clients) client.abort();
    await Promise.all(answers);
    await untilBlocked(0);
    await until('nobody waits', () => lanes.waiting === 0);
    expect(await blocked()).toBe(0);
    await expectWhole();
  });

  test.each(['complete', 'terminate'])(
    'over WebSocket, by %s',
    async (way) => {
      let socket: WebSocket | undefined;
      const client = createClient({
        url: `${gateway.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${token}` },
        lazy: false,
        retryAttempts: 0,
        onNonLazyError: () => undefined,
        on: {
          connected: (opened) => {
            socket = opened as WebSocket;
          },
        },
      });
      const completes = Array.from({ length: AT_ONCE }, () =>
        client.subscribe(
          { query: document },
          { next: () => undefined, error: () => undefined, complete: () => undefined },
        ),
      );
      await untilBlocked(AT_ONCE);
      if (way === 'complete') for (const complete of completes) complete();
      else socket?.terminate();
      await untilBlocked(0);
      await client.dispose();
      await expectWhole();
    },
    60_000,
  );

  test('has the reads of its subscription cancelled', async () => {
    const feed =
      'subscription ($after: String) { activity(after: $after) { __typename ... on FeedCaughtUp { cursor } ... on ActivityRecorded { entry { order { lines { sku { product { title } } } } } } } }';
    await locker.query('rollback');
    const stream = await gateway.subscribe(feed);
    const { cursor } = await stream.nextOf('FeedCaughtUp');
    await buy(gateway, await aCustomer(gateway), [{ ...skus.perpetual, quantity: 1 }]);
    await stream.nextOf('ActivityRecorded');
    await stream.end();
    // A lock holds the feed back: what was said before it is told again.
    await lock();
    const raw = await openAcknowledged(gateway, token);
    raw.send({ id: 'feed', type: 'subscribe', payload: { query: `# anew\n${feed}`, variables: { after: cursor } } });
    await untilBlocked(1);
    raw.socket.terminate();
    await untilBlocked(0);
    await until('nobody subscribes', async () => (await metricOf(gateway, 'csp_graph_feed_groups')) === 0);
    await expectWhole();
  });

  test('shares a statement with another: it goes on for the one that stays, and ends with the last', async () => {
    const [one, other] = [await openAcknowledged(gateway, token), await openAcknowledged(gateway, token)];
    const query = '{ product(productId: "DG7GMGF0FKZV") { title } }';
    // A document that is known waits for no turn.
    await locker.query('rollback');
    expect((await gateway.run(query)).errors).toBeUndefined();
    await lock();
    // Sent in one turn of the event loop, they come in one.
    for (const { send } of [one, other]) send({ id: '1', type: 'subscribe', payload: { query } });
    await untilBlocked(1);
    one.send({ id: '1', type: 'complete' });
    // Another client's statement shows that the flags have been heard since.
    const client = new AbortController();
    const answer = ask(client.signal);
    await untilBlocked(2);
    client.abort();
    expect(await answer).toBe('gone');
    await untilBlocked(1);
    other.send({ id: '1', type: 'complete' });
    await untilBlocked(0);
    for (const { socket } of [one, other]) socket.terminate();
    await expectWhole();
  });

  test('leaves a mutation alone, and what is read for its answer; only queries end', async () => {
    await locker.query('rollback');
    const customer = await aCustomer(gateway);
    // No purchase needs the table; its answer does, where it is asked for.
    await locker.query('begin; lock table "support_requests" in access exclusive mode');
    const input = {
      idempotencyKey: randomUUID(),
      customerId: customer.id,
      lines: [{ ...skus.perpetual, quantity: 1 }],
    };
    const leaves = [new AbortController(), new AbortController()] as const;
    const purchase = ask(leaves[0].signal, {
      query:
        'mutation ($input: PurchaseInput!) { purchase(input: $input) { ... on PurchaseSuccess { order { number customer { supportRequests { totalCount } } } } } }',
      variables: { input },
    });
    await untilBlocked(1);
    const query = ask(leaves[1].signal, { query: '{ supportRequests { totalCount } }' });
    await untilBlocked(2);
    for (const leave of leaves) leave.abort();
    expect(await Promise.all([purchase, query])).toEqual(['gone', 'gone']);
    await untilBlocked(1);
    await locker.query('rollback');
    await untilBlocked(0);
    const { data } = await gateway.run(PurchaseDocument, { input }, { token });
    const orders = await gateway.sql<{ number: string }>('select number from orders where customer_id = ?', [
      customer.rowId,
    ]);
    expect(orders).toEqual([{ number: (data.purchase as { order: { number: string } }).order.number }]);
  });

  test.each(['HTTP', 'WebSocket'])('has no further fields of its mutation begun over %s', async (transport) => {
    await locker.query('rollback');
    const customer = await aCustomer(gateway);
    const inputOf = () => ({
      idempotencyKey: randomUUID(),
      customerId: customer.id,
      lines: [{ ...skus.perpetual, quantity: 1 }],
    });
    const body = {
      query:
        'mutation ($a: PurchaseInput!, $b: PurchaseInput!) { a: purchase(input: $a) { __typename } b: purchase(input: $b) { __typename } }',
      variables: { a: inputOf(), b: inputOf() },
    };
    await locker.query(
      'begin; lock table "orders" in share mode; lock table "support_requests" in access exclusive mode',
    );
    const client = new AbortController();
    const raw = transport === 'HTTP' ? null : await openAcknowledged(gateway, token);
    if (raw) raw.send({ id: 'buys', type: 'subscribe', payload: body });
    const gone = raw ? null : ask(client.signal, body);
    await untilBlocked(1);
    if (raw) raw.send({ id: 'buys', type: 'complete' });
    else client.abort();
    await gone;
    // Another's statement that waits and is cancelled shows that the flags have been heard since.
    const later = new AbortController();
    const query = ask(later.signal, { query: '{ supportRequests { totalCount } }' });
    await untilBlocked(2);
    later.abort();
    await query;
    await untilBlocked(1);
    await locker.query('rollback');
    const bought = async () => (await gateway.sql('select from orders where customer_id = ?', [customer.rowId])).length;
    await until('the first is bought', async () => (await bought()) > 0);
    // What begins now ends after the second would, which began as soon as the first was bought.
    await buy(gateway, await aCustomer(gateway), [{ ...skus.perpetual, quantity: 1 }]);
    expect(await bought()).toBe(1);
    raw?.socket.terminate();
  });

  test('reads beyond a thousand that wait are refused at once, and say what to do', async () => {
    const WAITING = 1_000;
    const REFUSED = 20;
    const answers: { extensions: { code: string }; message: string }[][] = [];
    const asked = Array.from({ length: AT_ONCE + WAITING + REFUSED }, async () => {
      const { errors } = await gateway.run(document);
      if (errors) answers.push(errors);
      return errors ? 'refused' : 'answered';
    });
    // The gateway's own work may wait among them: a few more than the last ones.
    await until('the last ones are refused', () => answers.length >= REFUSED);
    // The gateway's own work does not wait with them.
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
    expect(await metricOf(gateway, 'csp_graph_pool_connections\\{pool="front",state="waiting"\\}')).toBeGreaterThan(
      900,
    );
    for (const [error] of answers) {
      expect(error?.extensions.code).toBe('LIMIT_EXCEEDED');
      expect(error?.message).toContain('Try again in a few seconds');
    }
    await locker.query('rollback');
    const outcomes = await Promise.all(asked);
    const answered = outcomes.filter((outcome) => outcome === 'answered').length;
    expect(answered).toBeLessThanOrEqual(AT_ONCE + WAITING);
    expect(answered).toBeGreaterThan(WAITING - 20);
  });
});
