import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { inLockOrder } from '../../src/database/lock-order.js';
import type { EncryptionKey } from '../../src/modules/entitlements/product-key.js';
import { rotateProductKeys } from '../../src/modules/entitlements/rotate-keys.js';
import { CancelOrderDocument, OrderDocument, PurchaseDocument } from '../generated/graphql.js';
import { cancelled } from '../support/cancelling.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../support/shop.js';
import { buySoftware, reveal } from '../support/software.js';
import { readSource } from '../support/source-tree.js';
import { until } from '../support/until.js';

/** Somebody who holds a row needs a connection of their own: the embedded engine has one. */
const onServer = serverUrl ? test : test.skip;
const line = { ...skus.perpetual, quantity: 1 };

describe('locks', () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  let customer: TestCustomer;
  beforeAll(async () => {
    database = await testDatabase();
    const server = database.config.kind === 'server' ? { ...database.config, poolSize: 4, lockTimeoutMs: 0 } : null;
    gateway = await startTestGateway({ database, config: { database: server ?? database.config } });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  const purchase = (idempotencyKey: string) =>
    gateway.run(PurchaseDocument, { input: { idempotencyKey, customerId: customer.id, lines: [line] } }, 'ADMIN_AGENT');
  const ordersOf = async () => {
    const [row] = await gateway.sql<{ n: number }>('select count(*)::int as n from orders where customer_id = ?', [
      customer.rowId,
    ]);
    return row?.n;
  };

  test('whatever waits for a lock takes it in the order of lock-order.ts', () => {
    // Transactions that lock nothing else: the incarnation, and earlier imports of a reconciliation, by their ids.
    const alone = ['activity-log/incarnation.ts', 'modules/reconciling/keep-reconciliation.ts'];
    const waits = /pg_advisory_xact_lock|\bfor (?:no key )?update\b(?! \$\{waits)(?! skip locked)/g;
    const loose = readSource().flatMap(({ path, text }) =>
      [...text.matchAll(waits)]
        .filter(({ index }) => !text.slice(Math.max(0, index - 600), index).includes('inLockOrder('))
        .map(() => path),
    );
    expect(loose).toEqual(alone);
    const named = readSource().filter(({ path, text }) => /LockMode\./.test(text) && path !== 'database/lock-order.ts');
    expect(named.map(({ path }) => path)).toEqual([]);
  });

  test('a transaction that would take a lock out of its order fails', async () => {
    const work = gateway.gateway.services.orm.em.fork().transactional(async (em) => {
      inLockOrder(em, 'CANCELLATION');
      inLockOrder(em, 'INVOICE');
      inLockOrder(em, 'ORDER');
    });
    await expect(work).rejects.toThrow('ORDER is to be locked before INVOICE');
  });

  describe('what a transaction changes at its end, holding all that it has taken', () => {
    /** Behind which lock nobody else has such a row; null: whoever locks it waits for nobody (`TAKEN_LAST`). */
    const behind: Record<string, string | null> = {
      orders: 'ORDER',
      order_lines: 'ORDER',
      entitlements: 'ORDER',
      cancellations: 'ORDER',
      cancellation_lines: 'ORDER',
      upstream_intents: 'INTENT',
      download_links: null,
      product_keys: null,
    };

    test('is known by its table', () => {
      const changes = /\bwrite\(\s*em,\s*[`'](?:update|delete from) "?(\w+)/g;
      const tables = readSource().flatMap(({ text }) => [...text.matchAll(changes)].map(([, table]) => table));
      expect([...new Set(tables)].sort()).toEqual(Object.keys(behind).sort());
    });

    test.each(['DOWNLOAD_LINK', 'ENCRYPTED'] as const)('%s: whoever locks one waits for nothing else', async (lock) => {
      const work = gateway.gateway.services.orm.em.fork().transactional(async (em) => {
        inLockOrder(em, lock);
        inLockOrder(em, lock);
        inLockOrder(em, 'INVOICE');
      });
      await expect(work).rejects.toThrow(`INVOICE is to be locked in another transaction than ${lock}`);
    });

    // The embedded engine has one transaction at a time, and no time for others beside such a loop.
    onServer('cancellations are confirmed while their keys are encrypted anew, and none meets another', async () => {
      const { services } = gateway.gateway;
      const [old] = services.config.productKeySecrets as [EncryptionKey];
      const fresh = { keyId: 'fresh', secret: new Uint8Array(32).fill(9) };
      const software = await Promise.all(Array.from({ length: 12 }, () => buySoftware(gateway, customer)));
      for (const { entitlementId, choice } of software) await reveal(gateway, entitlementId, choice.version);
      const deadlocks = async () =>
        (await gateway.sql(`select deadlocks::int from pg_stat_database where datname = current_database()`))[0];
      const before = await deadlocks();
      let isOver = false;
      // To and fro: each row is locked again and again.
      const rotating = (async () => {
        for (let keys = [fresh, old]; !isOver; keys = keys.toReversed())
          await rotateProductKeys(services.orm.em.fork(), keys);
      })();
      try {
        await Promise.all(software.map(({ order }) => cancelled(gateway, order)));
        await until('all are confirmed', async () =>
          (await Promise.all(software.map(({ order }) => lookAt(order)))).every((one) => one?.status === 'CANCELLED'),
        );
      } finally {
        isOver = true;
        await rotating;
      }
      expect(await deadlocks()).toEqual(before);
      expect(gateway.log.filter((text) => text.includes('40P01'))).toEqual([]);
      const keys = 'select count(*)::int as n from product_keys join entitlements on entitlements.id = entitlement_id';
      expect(await gateway.sql(`${keys} where customer_id = ?`, [customer.rowId])).toEqual([{ n: 0 }]);
    });
  });

  test.each(['40001', '40P01'])(
    'a use case that meets others (%s) is run again, and is done once',
    async (sqlState) => {
      const before = (await ordersOf()) ?? 0;
      await meetings(sqlState, 3);
      const key = randomUUID();
      expect((await purchase(key)).data.purchase).toMatchObject({ __typename: 'PurchaseSuccess' });
      expect(await ordersOf()).toBe(before + 1);
      await meetings(sqlState, 1_000);
      const other = randomUUID();
      const { errors } = await purchase(other);
      expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', retryAfter: 1 } }]);
      expect(await ordersOf()).toBe(before + 1);
      await noMeetings();
      expect((await purchase(other)).data.purchase).toMatchObject({ __typename: 'PurchaseSuccess' });
    },
  );

  /** The next writers of an order are told by PostgreSQL that they met another, so many of them. */
  const meetings = async (sqlState: string, count: number) => {
    await noMeetings();
    await gateway.sql('create sequence meetings');
    await gateway.sql(
      `create function meet() returns trigger as $$ begin
         if nextval('meetings') <= ${count} then raise exception using errcode = '${sqlState}', message = 'met another'; end if;
         return new;
       end; $$ language plpgsql`,
    );
    await gateway.sql('create trigger meet before insert on orders for each row execute function meet()');
  };
  const noMeetings = async () => {
    await gateway.sql('drop trigger if exists meet on orders');
    await gateway.sql('drop function if exists meet()');
    await gateway.sql('drop sequence if exists meetings');
  };

  /** Holds an order in a transaction of its own. Answers what lets go of it. */
  const hold = async (order: { number: string }) => {
    const client = new pg.Client((database.config as { url: string }).url);
    await client.connect();
    await client.query('begin');
    await client.query('select from orders where number = $1 for update', [order.number]);
    return () => client.end();
  };
  const lookAt = async (order: { id: string }) =>
    (await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT')).data.order;

  onServer('many who wait for an order that somebody holds keep nobody else waiting', async () => {
    const order = await buy(gateway, customer, [line]);
    const release = await hold(order);
    const users = Array.from({ length: 10 }, (_, n) => `agent-${n}@partner.example`);
    const answers = users.map(async (user) => {
      const as = { token: await gateway.token('ADMIN_AGENT', { user }) };
      const input = { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true };
      return gateway.run(CancelOrderDocument, { input }, as);
    });
    const waiting = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await until(
      'somebody waits for the order',
      async () => ((await gateway.sql<{ n: number }>(waiting))[0]?.n ?? 0) > 0,
    );
    // Nobody lets go of the order before these are bought.
    for (let n = 0; n < 5; n += 1) await buy(gateway, customer, [line]);
    expect(await gateway.sql(waiting)).toEqual([{ n: 1 }]);
    await release();
    const results = (await Promise.all(answers)).map(({ data }) => data?.cancelOrder?.__typename);
    expect(results.filter((result) => result === 'CancelOrderSuccess')).toHaveLength(1);
    expect(new Set(results).size).toBeGreaterThan(1);
  });

  onServer('what waits too long for a lock is refused, nothing was done, and the same can be sent again', async () => {
    const impatient = await startTestGateway({
      database,
      config: { database: { ...(database.config as { url: string }), lockTimeoutMs: 100 } as TestDatabase['config'] },
    });
    const order = await buy(impatient, customer, [line]);
    const release = await hold(order);
    const input = { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true };
    const answers = await Promise.all(
      [1, 2, 3].map(() => impatient.run(CancelOrderDocument, { input }, 'ADMIN_AGENT')),
    );
    for (const { errors } of answers)
      expect(errors).toMatchObject([
        {
          message:
            'Somebody else has held what this needs for 0.1 s. Nothing was done; send the same again in a moment.',
          extensions: { code: 'UNAVAILABLE', retryAfter: 1 },
        },
      ]);
    expect(await metricOf(impatient, 'csp_graph_refusals_total{bound="lockTime"}')).toBe(3);
    await release();
    expect(await lookAt(order)).toMatchObject({ lines: [{ status: 'ACTIVE' }], cancellations: [] });
    await cancelled(impatient, order, { idempotencyKey: input.idempotencyKey });
    await impatient.gateway.stop();
  });
});
