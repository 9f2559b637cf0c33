import { setTimeout } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { embeddedOptions } from '../../../src/database/orm.js';
import type { FulfilmentAnswer, FulfilmentProvider } from '../../../src/modules/fulfilling/provider.js';
import { ActivityFeedDocument, InvoicesDocument, OrderDocument } from '../../generated/graphql.js';
import { cancel, cancelled, confirming, quoteOf } from '../../support/cancelling.js';
import { engine, serverUrl, type TestDatabase, testDatabase } from '../../support/database.js';
import { startTestGateway, type TestGateway, testJobs } from '../../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { until } from '../../support/until.js';

/** Two processes on one database: the embedded engine belongs to one. */
const testOnServer = serverUrl ? test : test.skip;
if (!serverUrl) console.info('Fulfilment by several processes is tested on a server only: set TEST_DATABASE_URL.');

const never = new Promise<FulfilmentAnswer>(() => {});
const HOUR = 3_600_000;

describe(`fulfilment, on ${engine}`, () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  let clock: Date;
  let provider: FulfilmentProvider['cancel'];
  const start = (config = {}) =>
    startTestGateway({
      database,
      now: () => clock,
      provider: { purchase: null, cancel: (request, signal) => provider(request, signal) },
      config,
    });
  beforeEach(async () => {
    clock = new Date('2026-07-15T10:00:00Z');
    provider = async () => 'confirmed';
    database = await testDatabase();
  });
  afterEach(() => gateway.stop());

  /** What is in the database now is what the next start finds, however the running gateway ends. */
  const crash = async () => {
    const left = await database.pglite?.dumpDataDir('none');
    await gateway.gateway.stop();
    if (left) database = { ...database, pglite: await PGlite.create({ ...embeddedOptions, loadDataDir: left }) };
  };
  const perpetual = (quantity = 1) => ({ ...skus.perpetual, quantity });
  const look = async (order: { id: string }) =>
    (await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT')).data.order;
  const facts = async (customer: TestCustomer) => {
    const invoices = await gateway.run(InvoicesDocument, { filter: { customerId: customer.id } }, 'BILLING_ADMIN');
    const entries = await gateway.sql(
      `select action from activity_entries where customer_id = ? and action like 'CANCELLATION%' order by xid, seq`,
      [customer.rowId],
    );
    return {
      entries: entries.map((entry) => entry['action']),
      credits: invoices.data.invoices?.nodes.flatMap(({ lines }) =>
        lines.filter((line) => line.kind === 'CREDIT').map((line) => line.amount.amount),
      ),
    };
  };
  const doneOnce = { entries: ['CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED'], credits: ['-13748.00'] };
  const stocked = async (config = {}) => {
    gateway = await start(config);
    await stockShop(gateway);
    return aCustomer(gateway);
  };

  test('rule 17: a cancellation that was not due when the gateway ended is confirmed once by the next start', async () => {
    const customer = await stocked({ fulfilmentDelayMs: HOUR });
    const order = await buy(gateway, customer, [perpetual()]);
    await cancelled(gateway, order);
    expect(await look(order)).toMatchObject({ status: 'COMPLETED', lines: [{ status: 'CANCELLATION_PENDING' }] });
    await crash();
    let asked = 0;
    provider = async () => {
      asked += 1;
      return 'confirmed';
    };
    gateway = await start();
    await confirming(gateway, customer, () => gateway.sql('update pgboss.job set start_after = now()'));
    expect(await look(order)).toMatchObject({
      status: 'CANCELLED',
      lines: [{ status: 'CANCELLED', entitlement: { status: 'REVOKED' } }],
      cancellations: [{ status: 'CONFIRMED', confirmedAt: clock.toISOString() }],
    });
    expect(asked).toBe(1);
    expect(await facts(customer)).toEqual(doneOnce);
  });

  test('rule 17: a gateway that ends while the provider thinks leaves the work to the next start, and ends at once', async () => {
    const customer = await stocked();
    const order = await buy(gateway, customer, [perpetual()]);
    const asked = new Promise<void>((resolve) => {
      provider = () => {
        resolve();
        return never;
      };
    });
    await cancelled(gateway, order);
    await asked;
    await crash();
    provider = async () => 'confirmed';
    gateway = await start();
    const other = await buy(gateway, await aCustomer(gateway), [perpetual()]);
    await cancelled(gateway, other);
    const stream = await gateway.subscribe(ActivityFeedDocument, {
      filter: { customerId: customer.id, actions: ['CANCELLATION_CONFIRMED'] },
    });
    await stream.nextOf('FeedCaughtUp');
    if ((await look(order))?.status !== 'CANCELLED') await stream.nextOf('ActivityRecorded');
    await stream.end();
    expect(await facts(customer)).toEqual(doneOnce);
  });

  test('rule 17: where confirming fails in the middle nothing of it is seen, and it is tried again', async () => {
    const customer = await stocked();
    const order = await buy(gateway, customer, [perpetual()]);
    await gateway.sql(
      `create function sabotage() returns trigger as $$ begin raise exception 'no'; end; $$ language plpgsql`,
    );
    await gateway.sql(
      `create trigger sabotage before insert on activity_entries for each row when (new.action = 'CANCELLATION_CONFIRMED') execute function sabotage()`,
    );
    let asked = 0;
    const askedTwice = new Promise<void>((resolve) => {
      provider = async () => {
        asked += 1;
        if (asked === 2) resolve();
        return 'confirmed';
      };
    });
    await cancelled(gateway, order);
    await askedTwice;
    expect(await look(order)).toMatchObject({
      status: 'COMPLETED',
      lines: [{ status: 'CANCELLATION_PENDING', entitlement: { status: 'ACTIVE' } }],
      cancellations: [{ status: 'PENDING', confirmedAt: null }],
    });
    expect(await facts(customer)).toEqual({ entries: ['CANCELLATION_REQUESTED'], credits: [] });
    await confirming(gateway, customer, () => gateway.sql('drop trigger sabotage on activity_entries'));
    expect(await facts(customer)).toEqual(doneOnce);
  });

  test('rule 17: a cancellation that the provider fails on does not hold up those behind it', async () => {
    const customer = await stocked();
    const [bad, good] = [await buy(gateway, customer, [perpetual()]), await buy(gateway, customer, [perpetual()])];
    provider = async ({ orderNumber }) => {
      if (orderNumber === bad.number) throw new Error('the provider is down');
      return 'confirmed';
    };
    await cancelled(gateway, bad);
    await confirming(gateway, customer, () => cancelled(gateway, good));
    expect((await look(bad))?.cancellations).toMatchObject([{ status: 'PENDING' }]);
    expect(gateway.log.some((line) => line.includes('the provider is down'))).toBe(true);
    await confirming(gateway, customer, async () => {
      provider = async () => 'confirmed';
    });
    expect((await look(bad))?.cancellations).toMatchObject([{ status: 'CONFIRMED' }]);
  });

  test('rule 17: refused by the provider, the lines stand again, nothing is credited, and they can be cancelled anew', async () => {
    const customer = await stocked();
    const order = await buy(gateway, customer, [perpetual(), perpetual(2)]);
    provider = async ({ lineNumbers }) => (lineNumbers.includes(0) ? { refused: 'In use' } : 'confirmed');
    const stream = await gateway.subscribe(ActivityFeedDocument, {
      filter: { customerId: customer.id, actions: ['CANCELLATION_REFUSED'] },
    });
    await stream.nextOf('FeedCaughtUp');
    const first = { lineNumbers: [0], idempotencyKey: 'first' };
    const { cancellation } = await cancelled(gateway, order, first);
    expect((await stream.nextOf('ActivityRecorded')).entry).toMatchObject({
      action: 'CANCELLATION_REFUSED',
      outcome: 'FAILED',
      actor: { userPrincipalName: 'agent.anna@partner.example', application: 'fulfilment' },
      detail: { orderNumber: order.number, problem: 'In use' },
    });
    await stream.end();
    expect(await look(order)).toMatchObject({
      status: 'COMPLETED',
      lines: [{ status: 'ACTIVE', entitlement: { status: 'ACTIVE' } }, { status: 'ACTIVE' }],
      cancellations: [{ status: 'REFUSED', confirmedAt: null }],
    });
    expect((await facts(customer)).credits).toEqual([]);
    expect(await cancel(gateway, order, first)).toMatchObject({
      cancellation: { id: cancellation.id, status: 'REFUSED' },
    });
    expect(await quoteOf(gateway, order)).toMatchObject({ allowed: true, credit: { amount: '41244.00' } });
    provider = async () => 'confirmed';
    await confirming(gateway, customer, () => cancelled(gateway, order));
    expect(await facts(customer)).toEqual({
      entries: ['CANCELLATION_REQUESTED', 'CANCELLATION_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED'],
      credits: expect.arrayContaining(['-13748.00', '-27496.00']),
    });
    expect((await look(order))?.status).toBe('CANCELLED');
  });

  test('rule 17: a provider that never answers stops nothing else, is asked again by the same id, and what it says too late counts for nothing', async () => {
    const customer = await stocked({ jobs: { ...testJobs, timeLimitMs: 300 } });
    const [bad, good] = [await buy(gateway, customer, [perpetual()]), await buy(gateway, customer, [perpetual()])];
    const asked: { id: string; answer: (answer: FulfilmentAnswer) => void; signal: AbortSignal }[] = [];
    let askedTwice = () => {};
    const again = new Promise<void>((resolve) => {
      askedTwice = resolve;
    });
    provider = ({ orderNumber, cancellationId: id }, signal) => {
      if (orderNumber === good.number) return Promise.resolve('confirmed');
      return new Promise((answer) => {
        asked.push({ id, answer, signal });
        if (asked.length === 2) askedTwice();
      });
    };
    await cancelled(gateway, bad);
    await confirming(gateway, customer, () => cancelled(gateway, good));
    await again;
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    expect(asked[0]?.signal.aborted).toBe(true);
    await confirming(gateway, customer, async () => {
      provider = async () => 'confirmed';
      asked[0]?.answer({ refused: 'too late' });
    });
    expect((await look(bad))?.cancellations).toMatchObject([{ status: 'CONFIRMED', refusalReason: null }]);
    expect((await facts(customer)).entries).not.toContain('CANCELLATION_REFUSED');
  });

  test('rule 17: after the last attempt a job waits for an operator, with what went wrong, and is asked no more', async () => {
    const customer = await stocked({ jobs: { ...testJobs, attempts: 3 } });
    const order = await buy(gateway, customer, [perpetual()]);
    let asked = 0;
    provider = async () => {
      asked += 1;
      throw new Error(`down for the ${asked}. time`);
    };
    await cancelled(gateway, order);
    const failed = () => gateway.sql(`select * from jobs where state = 'FAILED'`);
    await until('the job has failed', async () => (await failed()).length === 1);
    const other = await buy(gateway, customer, [perpetual()]);
    provider = async () => 'confirmed';
    await confirming(gateway, customer, () => cancelled(gateway, other));
    expect(await failed()).toMatchObject([
      {
        kind: 'CANCELLATION',
        attempts: 3,
        maximum_attempts: 3,
        last_error: 'down for the 3. time',
        next_attempt_at: null,
      },
    ]);
    expect(asked).toBe(3);
    expect((await look(order))?.cancellations).toMatchObject([{ status: 'PENDING' }]);
  });

  testOnServer('rule 19: two processes ask for each cancellation once', async () => {
    const customer = await stocked({ jobs: { ...testJobs, atOnce: 3 } });
    const second = await start({ jobs: { ...testJobs, atOnce: 3 } });
    const asked: string[] = [];
    provider = async ({ cancellationId }) => {
      asked.push(cancellationId);
      await setTimeout(20);
      return 'confirmed';
    };
    const orders = await Promise.all(Array.from({ length: 12 }, () => buy(gateway, customer, [perpetual()])));
    await Promise.all(orders.map((order, index) => cancelled(index % 2 ? gateway : second, order)));
    await until('all are confirmed', async () => {
      const [pending] = await gateway.sql<{ n: number }>('select count(*)::int as n from jobs');
      return pending?.n === 0;
    });
    await second.gateway.stop();
    expect(asked.toSorted()).toEqual([...new Set(asked)].toSorted());
    expect(asked).toHaveLength(12);
  });

  testOnServer(
    'rule 17: what a process had claimed when it was killed is done by another once its claim has lapsed',
    async () => {
      const customer = await stocked({ jobs: { ...testJobs, timeLimitMs: 1_000 } });
      const order = await buy(gateway, customer, [perpetual()]);
      // A process that never comes back: it has claimed the job, and no more is heard of it.
      let claimed = () => {};
      const isClaimed = new Promise<void>((resolve) => {
        claimed = resolve;
      });
      let asked = 0;
      provider = async () => {
        asked += 1;
        return 'confirmed';
      };
      await gateway.sql(
        `create function claim() returns trigger as $$ begin new.state := 'active'; new.started_on := now(); return new; end; $$ language plpgsql`,
      );
      await gateway.sql(
        `create trigger claim before insert on pgboss.job_common for each row when (new.state = 'created') execute function claim()`,
      );
      const done = confirming(gateway, customer, async () => {
        await cancelled(gateway, order);
        claimed();
      });
      await isClaimed;
      expect(await gateway.sql('select state from jobs')).toEqual([{ state: 'RUNNING' }]);
      expect(asked).toBe(0);
      await done;
      expect(asked).toBe(1);
      expect(await facts(customer)).toEqual(doneOnce);
    },
  );

  testOnServer('rule 19: two processes on one database confirm each cancellation once', async () => {
    const customer = await stocked();
    const second = await start();
    const orders = await Promise.all(Array.from({ length: 8 }, () => buy(gateway, customer, [perpetual()])));
    const stream = await gateway.subscribe(ActivityFeedDocument, {
      filter: { customerId: customer.id, actions: ['CANCELLATION_CONFIRMED'] },
    });
    await stream.nextOf('FeedCaughtUp');
    await Promise.all(orders.map((order, index) => cancelled(index % 2 ? gateway : second, order)));
    const confirmed = new Set();
    while (confirmed.size < orders.length) {
      const { entry } = await stream.nextOf('ActivityRecorded');
      expect(confirmed).not.toContain(entry.resource.nodeId);
      confirmed.add(entry.resource.nodeId);
    }
    await stream.end();
    await second.gateway.stop();
    const { entries, credits } = await facts(customer);
    expect(credits).toEqual(Array(8).fill('-13748.00'));
    expect(entries.filter((action) => action === 'CANCELLATION_CONFIRMED')).toHaveLength(8);
  });
});
