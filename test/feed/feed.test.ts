import { afterEach, describe, expect, test } from '@jest/globals';
import { type FeedEntry } from '../../src/activity-log/entry.js';
import { comparePositions, START } from '../../src/activity-log/position.js';
import { DatabaseSource } from '../../src/feed/entry-source.js';
import { Feed } from '../../src/feed/feed.js';
import { engine, serverUrl } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { caughtUp, cursorAt, feedOf, insert, LABELS, labelsOf, pull, table } from '../support/feed.js';
import { startTestGateway, type TestGateway, type TestStream } from '../support/gateway.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { severalProcesses } from '../support/several-processes.js';
import { until } from '../support/until.js';

/** Cursors alone need no read for each event. */
const CURSORS =
  'subscription ($after: String) { activity(after: $after) { __typename ... on ActivityRecorded { cursor } } }';
/** The same in messages of 2 kB, so that what a slow line has not taken does not fit into the system's buffers. */
const WIDE_CURSORS = CURSORS.replace(
  '{ cursor }',
  `{ cursor ${Array.from({ length: 30 }, (_, at) => `c${at}: cursor`).join(' ')} }`,
);
/** Most entries in memory (feed.ts). */
const KEPT = 10_000;
if (!serverUrl) console.warn('Two gateways and interleaved transactions need a server: set TEST_DATABASE_URL.');

const gateways: TestGateway[] = [];
/** A gateway that the test leaves running. */
async function started(options: Parameters<typeof startTestGateway>[0] = {}): Promise<TestGateway> {
  const gateway = await startTestGateway(options);
  gateways.push(gateway);
  return gateway;
}
afterEach(async () => {
  for (const gateway of gateways.splice(0).reverse()) await gateway.stop();
});

const cursorsOf = async (stream: TestStream, count: number) => {
  const cursors: string[] = [];
  while (cursors.length < count) cursors.push((await stream.nextOf('ActivityRecorded')).cursor);
  return cursors;
};

describe(`the feed, on ${engine}`, () => {
  test('tells every entry once, in the order of transaction and sequence, from memory and from the table alike', async () => {
    const gateway = await started();
    const feed = feedOf(gateway);
    const begin = feed.position;
    for (const count of [700, 1, 499, 500, 501]) await insert(gateway, count);
    await caughtUp(gateway, 2_201);
    const live = await pull(feed, begin);
    const replayed = await table(gateway);
    expect(live.map((entry) => entry.id)).toEqual(replayed.map((entry) => entry.id));
    expect([...live].sort(comparePositions)).toEqual(live);
    expect(new Set(live.map((entry) => entry.id)).size).toBe(2_201);
  });

  test('a subscriber further behind than memory reads the table, and crosses over without a gap or a repeat', async () => {
    const gateway = await started();
    const feed = feedOf(gateway);
    await insert(gateway, 300);
    await insert(gateway, KEPT);
    await caughtUp(gateway, KEPT + 300);
    const all = await table(gateway);
    for (const from of [0, 1, 299, 300, 301, KEPT]) {
      const start = from === 0 ? START : (all[from - 1] as FeedEntry);
      const pulled = await pull(feed, start);
      expect([from, pulled.map((entry) => entry.id)]).toEqual([from, all.slice(from).map((entry) => entry.id)]);
    }
  });

  test('a replay from the beginning over a socket, while more is written, has everything once and in order', async () => {
    const gateway = await started();
    await insert(gateway, KEPT + 500);
    await caughtUp(gateway, KEPT + 500);
    const stream = await gateway.subscribe(CURSORS, { after: cursorAt(gateway, START) });
    const replay = await cursorsOf(stream, 600);
    await insert(gateway, 3);
    replay.push(...(await cursorsOf(stream, KEPT - 100 + 3)));
    expect(replay).toEqual((await table(gateway)).map((entry) => cursorAt(gateway, entry)));
    await stream.end();
  });

  test('a subscriber that does not read loses nothing and holds nobody up', async () => {
    const gateway = await started();
    const slow = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    slow.send({ id: '1', type: 'subscribe', payload: { query: WIDE_CURSORS } });
    expect((await slow.next()).payload.data.activity.__typename).toBe('FeedCaughtUp');
    slow.socket.pause();
    const quick = await gateway.subscribe(CURSORS);
    await quick.nextOf('FeedCaughtUp');
    const total = KEPT + 1_000;
    await insert(gateway, total);
    const told = await cursorsOf(quick, total);
    slow.socket.resume();
    const late: string[] = [];
    while (late.length < total) late.push((await slow.next()).payload.data.activity.cursor);
    expect(late).toEqual(told);
    expect(told).toEqual((await table(gateway)).map((entry) => cursorAt(gateway, entry)));
    await quick.end();
    slow.socket.terminate();
  });

  test('a rolled back transaction is never seen, and what follows is', async () => {
    const gateway = await started();
    const stream = await gateway.subscribe(LABELS);
    await stream.nextOf('FeedCaughtUp');
    const failed = gateway.gateway.services.orm.em.fork().transactional(async (em) => {
      await em.execute(insertEntries, [5]);
      throw new Error('undone');
    });
    await expect(failed).rejects.toThrow('undone');
    await insert(gateway, 2);
    expect(await labelsOf(stream, 2)).toEqual(['1', '2']);
    expect(await table(gateway)).toHaveLength(2);
    await stream.end();
  });

  test('a hundred idle subscribers ask the database nothing', async () => {
    const gateway = await started();
    const { kysely } = gateway.gateway.services;
    const asked: string[] = [];
    const counted = Object.create(kysely, {
      getExecutor: {
        value: () => {
          asked.push('read');
          return kysely.getExecutor();
        },
      },
    });
    const feed = new Feed({
      kysely: counted,
      table: gateway.gateway.services.feed.table,
      source: new DatabaseSource(counted, 1_000_000),
      log: gateway.gateway.services.log,
      beforeEntries: async () => undefined,
      refreshIncarnation: async () => false,
    });
    await feed.start();
    asked.length = 0;
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const waits = controllers.map(async ({ signal }) => {
      await feed.after(feed.position, {}, feed.replay({ users: ['test'], cost: 0 }));
      await feed.changed(signal, 1_000_000);
    });
    await until('all wait', () => feed.waiters === 100);
    expect(asked).toEqual([]);
    for (const controller of controllers) controller.abort();
    await Promise.all(waits);
    expect(feed.waiters).toBe(0);
    await feed.stop();
  });

  test('a feed that cannot read says so once, and goes on where it was when it can', async () => {
    const gateway = await started();
    const stream = await gateway.subscribe(LABELS);
    await stream.nextOf('FeedCaughtUp');
    const told = (what: string) => gateway.log.filter((line) => line.includes(what)).length;
    await gateway.sql('alter table activity_entries rename column product_ids to product_ids_gone');
    await until('it is told', () => told('the feed could not read') > 0);
    const feed = feedOf(gateway) as unknown as { notify(): void; reading: Promise<void> | null };
    for (let tries = 0; tries < 5; tries += 1) {
      feed.notify();
      await feed.reading;
    }
    await gateway.sql('alter table activity_entries rename column product_ids_gone to product_ids');
    await insert(gateway, 1);
    expect(await labelsOf(stream, 1)).toEqual(['1']);
    expect([told('the feed could not read'), told('the feed reads again')]).toEqual([1, 1]);
    await stream.end();
  });

  test('a replay that fails waits for the database, and goes on where it was', async () => {
    const gateway = await started();
    await insert(gateway, KEPT + 1);
    await caughtUp(gateway, KEPT + 1);
    await gateway.sql('alter table activity_entries rename column product_ids to product_ids_gone');
    const stream = await gateway.subscribe(CURSORS, { after: cursorAt(gateway, START) });
    await until('it is told', () => gateway.log.some((line) => line.includes('a subscriber waits')));
    await gateway.sql('alter table activity_entries rename column product_ids_gone to product_ids');
    expect(await cursorsOf(stream, KEPT + 1)).toEqual((await table(gateway)).map((entry) => cursorAt(gateway, entry)));
    await stream.end();
  });

  test('an entry that cannot be read for a while is delivered later, not without itself', async () => {
    const gateway = await started();
    const stream = await gateway.subscribe(LABELS);
    await stream.nextOf('FeedCaughtUp');
    await gateway.sql('alter table activity_entries rename column resource_label to resource_label_gone');
    await gateway.sql(insertEntries.replace('resource_label', 'resource_label_gone'), [2]);
    await until('it is told', () => gateway.log.some((line) => line.includes('internal error')));
    await gateway.sql('alter table activity_entries rename column resource_label_gone to resource_label');
    expect(await labelsOf(stream, 2)).toEqual(['1', '2']);
    await stream.end();
  });
});

severalProcesses('polled by each', { config: () => ({}), ready: async () => undefined });
