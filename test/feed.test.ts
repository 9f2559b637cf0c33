import { afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Feed } from '../src/feed/feed.js';
import { type FeedEntry, readEntries } from '../src/feed/feed-entry.js';
import { comparePositions, type Position, START } from '../src/feed/position.js';
import { encodeCursor, feedTag } from '../src/read/cursor.js';
import { engine, serverUrl, type TestDatabase, testDatabase } from './support/database.js';
import { insertEntries } from './support/entries.js';
import { startTestGateway, type TestGateway, type TestStream } from './support/gateway.js';
import { openAcknowledged } from './support/raw-socket.js';
import { until } from './support/until.js';

const LABELS = `subscription ($after: String) {
  activity(after: $after) { __typename ... on ActivityRecorded { cursor entry { resource { label } } } ... on FeedCaughtUp { cursor } }
}`;
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
const onServer = serverUrl ? test : test.skip;
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

const feedOf = (gateway: TestGateway) => gateway.gateway.services.feed;
const cursorAt = (gateway: TestGateway, { xid, seq }: Position) =>
  encodeCursor({ tag: feedTag(gateway.gateway.services.readSource.incarnation), values: [String(xid), String(seq)] });
/** Commits entries, past the gateway: it finds them by looking. */
const insert = (gateway: TestGateway, count: number) => gateway.sql(insertEntries, [count]);
/** Every entry of the table, in commit order. */
const table = async (gateway: TestGateway) => {
  const { kysely } = gateway.gateway.services;
  return readEntries(kysely, START, {}, 1_000_000);
};
const caughtUp = (gateway: TestGateway, total: number) =>
  until(`${total} entries are read`, async () => {
    const entries = await table(gateway);
    return entries.length >= total && comparePositions(feedOf(gateway).position, entries.at(-1) as FeedEntry) >= 0;
  });
/** All entries after a position, pulled as subscribers pull. */
async function pull(feed: Feed, from: Position): Promise<FeedEntry[]> {
  const pulled: FeedEntry[] = [];
  for (let position = from; ; ) {
    const next = await feed.after(position, {});
    pulled.push(...next.entries);
    if (comparePositions(next.position, position) === 0) return pulled;
    position = next.position;
  }
}
const labelsOf = async (stream: TestStream, count: number) => {
  const labels: string[] = [];
  while (labels.length < count) labels.push((await stream.nextOf('ActivityRecorded')).entry.resource.label);
  return labels;
};
const cursorsOf = async (stream: TestStream, count: number) => {
  const cursors: string[] = [];
  while (cursors.length < count) cursors.push((await stream.nextOf('ActivityRecorded')).cursor);
  return cursors;
};
const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1));

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
      pollMs: 1_000_000,
      log: gateway.gateway.services.log,
      onEntry: () => undefined,
    });
    await feed.start();
    asked.length = 0;
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const waits = controllers.map(async ({ signal }) => {
      await feed.after(feed.position, {});
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
    await gateway.sql('alter table activity_entries rename column resource_id to resource_id_gone');
    await until('it is told', () => told('the feed could not read') > 0);
    const feed = feedOf(gateway) as unknown as { poke(): void; reading: Promise<void> | null };
    for (let tries = 0; tries < 5; tries += 1) {
      feed.poke();
      await feed.reading;
    }
    await gateway.sql('alter table activity_entries rename column resource_id_gone to resource_id');
    await insert(gateway, 1);
    expect(await labelsOf(stream, 1)).toEqual(['1']);
    expect([told('the feed could not read'), told('the feed reads again')]).toEqual([1, 1]);
    await stream.end();
  });

  test('a stream that fails while it runs is masked, with an id that is in the log', async () => {
    const gateway = await started();
    await insert(gateway, KEPT + 1);
    await caughtUp(gateway, KEPT + 1);
    await gateway.sql('alter table activity_entries rename column resource_id to resource_id_gone');
    const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    raw.send({
      id: '1',
      type: 'subscribe',
      payload: { query: LABELS, variables: { after: cursorAt(gateway, START) } },
    });
    const { type, payload } = await raw.next();
    expect(type).toBe('error');
    const [{ message, extensions }] = payload;
    expect(extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) });
    expect(message).toBe(`Something went wrong on our side. Tell support this id: ${extensions.id}`);
    expect(gateway.log.some((line) => line.includes(extensions.id) && line.includes('resource_id'))).toBe(true);
    raw.socket.terminate();
  });
});

describe('the feed of several processes on one database', () => {
  /** The database is dropped by the first gateway alone. */
  const shared = (database: TestDatabase): TestDatabase => ({ ...database, drop: async () => undefined });
  const client = async (database: TestDatabase) => {
    const connection = new pg.Client((database.config as { url: string }).url);
    await connection.connect();
    return connection;
  };
  const insertOn = (connection: pg.Client, count: number) =>
    connection.query(insertEntries.replace('?', '$1'), [count]);

  onServer('two gateways tell everything that either writes, in the same order', async () => {
    const database = await testDatabase();
    const first = await started({ database });
    const second = await started({ database: shared(database) });
    const streams = await Promise.all([first, second].map((gateway) => gateway.subscribe(LABELS)));
    for (const stream of streams) await stream.nextOf('FeedCaughtUp');
    const writers = [first, second, first, second, first, second].map(async (gateway, writer) => {
      for (let turn = 0; turn < 20; turn += 1)
        await gateway.run('mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }', {
          input: { userPrincipalName: `user-${writer}-${turn}@partner.example` },
        });
    });
    await Promise.all(writers);
    const [one, other] = await Promise.all(streams.map((stream) => labelsOf(stream, 120)));
    expect(other).toEqual(one);
    expect(new Set(one).size).toBe(120);
    expect(one).toEqual((await table(first)).map((entry) => entry.resourceId));
    for (const stream of streams) await stream.end();
  });

  onServer('a transaction that commits late is not skipped: what began after it waits for it', async () => {
    const database = await testDatabase();
    const gateway = await started({ database });
    const stream = await gateway.subscribe(LABELS);
    await stream.nextOf('FeedCaughtUp');
    const [early, late] = [await client(database), await client(database)];
    await early.query('begin');
    await insertOn(early, 2);
    await late.query('begin');
    await insertOn(late, 3);
    await late.query('commit');
    // The later transaction is committed, and in the table for everybody who reads it carelessly.
    expect(await gateway.sql('select 1 from activity_entries')).toHaveLength(3);
    expect(await table(gateway)).toEqual([]);
    await early.query('commit');
    expect(await labelsOf(stream, 5)).toEqual(['1', '2', '1', '2', '3']);
    for (const connection of [early, late]) await connection.end();
    await stream.end();
  });

  onServer(
    'twelve writers with transactions that overlap and roll back: nothing is lost, repeated or invented',
    async () => {
      const database = await testDatabase();
      const gateway = await started({ database });
      const begin = feedOf(gateway).position;
      const connections = await Promise.all(Array.from({ length: 12 }, () => client(database)));
      await Promise.all(
        connections.map(async (connection, writer) => {
          for (let turn = 0; turn < 40; turn += 1) {
            await connection.query('begin');
            await insertOn(connection, 1 + (turn % 3));
            await insertOn(connection, 1);
            await connection.query((turn + writer) % 4 === 0 ? 'rollback' : 'commit');
          }
        }),
      );
      for (const connection of connections) await connection.end();
      const [{ count } = { count: 0 }] = await gateway.sql<{ count: number }>(
        'select count(*)::int as count from activity_entries',
      );
      await caughtUp(gateway, count);
      const told = await pull(feedOf(gateway), begin);
      expect(told).toHaveLength(count);
      expect(told.map((entry) => entry.id)).toEqual((await table(gateway)).map((entry) => entry.id));
    },
  );

  onServer('a client goes on at another gateway where it left one', async () => {
    const database = await testDatabase();
    const first = await started({ database });
    const second = await started({ database: shared(database) });
    await insert(first, 10);
    await caughtUp(first, 10);
    const stream = await first.subscribe(LABELS, { after: cursorAt(first, START) });
    const { cursor } = await stream.nextOf('ActivityRecorded');
    await stream.end();
    const resumed = await second.subscribe(LABELS, { after: cursor });
    expect(await labelsOf(resumed, 9)).toEqual(numbers(10).slice(1));
    await resumed.end();
  });
});
