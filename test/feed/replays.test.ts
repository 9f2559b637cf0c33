import { afterEach, describe, expect, test } from '@jest/globals';
import { comparePositions, START } from '../../src/activity-log/position.js';
import { KeySets } from '../../src/auth/key-sets.js';
import { createAuthenticate } from '../../src/auth/tokens.js';
import { points } from '../../src/cost/points.js';
import type { Execute } from '../../src/database/execute.js';
import { FanOut } from '../../src/feed/delivery/fan-out.js';
import type { Sink } from '../../src/feed/delivery/sink.js';
import { openFeedSubscription } from '../../src/feed/delivery/subscription.js';
import { engine, serverUrl, testDatabase } from '../support/database.js';
import { caughtUp, client, cursorAt, feedOf, insert, LABELS, labelsOf, numbers } from '../support/feed.js';
import { startTestGateway, type TestGateway, testCosts } from '../support/gateway.js';
import { openAcknowledged, type RawSocket } from '../support/raw-socket.js';
import { until } from '../support/until.js';

/** Entries beyond the 10,000 in memory (feed.ts): they are in the table alone. */
const OLD = 3_000;
const ALL = 10_000 + OLD;
/** Entries that a statement looks at (replay.ts). */
const SPAN = 20_000;
const NARROW = `subscription ($after: String, $filter: ActivityFilter) {
  activity(after: $after, filter: $filter) { __typename ... on FeedMessage { cursor } }
}`;
/** What nothing passes, in as many ways as are wanted: they share nothing. */
const nothing = (at = 0) => ({ actor: `nobody.${at}@partner.example`, actorObjectId: 'x' });

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
});

/** A gateway with a log that memory does not hold, and somebody's socket. */
async function started(options: Parameters<typeof startTestGateway>[0] = {}, old = OLD): Promise<TestGateway> {
  const gateway = await startTestGateway(options);
  open.push(gateway);
  for (const count of [old, ALL - OLD]) await insert(gateway, count);
  await caughtUp(gateway, old + ALL - OLD);
  return gateway;
}
async function socketOf(gateway: TestGateway, user = 'ada@partner.example'): Promise<RawSocket> {
  return openAcknowledged(gateway, await gateway.token('ACCOUNT_ADMIN', { user }));
}
function replay(socket: RawSocket, id: string, after: string, filter: object | null = null, query = NARROW): void {
  socket.send({ id, type: 'subscribe', payload: { query, variables: { after, filter } } });
}
/** The next message of an operation: its payload, or what ended it. */
async function nextOf(socket: RawSocket, id: string) {
  for (;;) {
    const message = await socket.next();
    if (message.id === id) return message;
  }
}
async function caughtUpOf(socket: RawSocket, id: string) {
  for (;;) {
    const { type, payload } = await nextOf(socket, id);
    if (type !== 'next' || payload.errors) throw new Error(JSON.stringify(payload));
    if (payload.data.activity.__typename === 'FeedCaughtUp') return payload.data.activity.cursor as string;
  }
}
/** Stands before the statements that read the log for users. */
function tableReads(gateway: TestGateway, instead: (run: () => Promise<string>) => Promise<string> = (run) => run()) {
  const table = feedOf(gateway).table as unknown as { execute: Execute };
  const { execute } = table;
  const users: string[] = [];
  table.execute = (statement, parameters, turn) => {
    users.push(turn.users.join());
    return instead(() => execute(statement, parameters, turn));
  };
  return users;
}
const subscribers = async (gateway: TestGateway) => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(/^csp_graph_feed_subscribers (\S+)$/m.exec(text)?.[1]);
};

describe(`replays, on ${engine}`, () => {
  test('are charged for what they look at, whether it passes or not', async () => {
    const gateway = await started();
    const { spent } = gateway.gateway.services.costs;
    const socket = await socketOf(gateway);
    replay(socket, 'known', cursorAt(gateway, feedOf(gateway).position), nothing());
    await caughtUpOf(socket, 'known');
    const before = spent.get('ACCOUNT_ADMIN') as number;
    replay(socket, 'all', cursorAt(gateway, START), nothing());
    await caughtUpOf(socket, 'all');
    const cost = (spent.get('ACCOUNT_ADMIN') as number) - before;
    expect(cost).toBeCloseTo(points.subscription + ALL * points.lookedAtEntry, 6);
    socket.socket.terminate();
  });

  test('that look at more than is left end in words, with a cursor from which another one goes on', async () => {
    const perMinute = { everybody: 100_000_000, byRole: new Map([['ACCOUNT_ADMIN', 40]]) };
    const gateway = await started({ config: { cost: { ...testCosts, perMinute } } }, SPAN);
    let after = cursorAt(gateway, START);
    const ends: string[] = [];
    // Each has a budget of their own, which is enough for a part.
    for (let at = 0; ends.at(-1) !== 'FeedCaughtUp'; at += 1) {
      const socket = await socketOf(gateway, `ada.${at}@partner.example`);
      replay(socket, '1', after, nothing());
      const { payload } = await nextOf(socket, '1');
      const { __typename, cursor } = payload.data.activity;
      ends.push(__typename);
      const isFurther = comparePositions(
        gateway.gateway.services.feedCursors.decode(cursor, 'after'),
        gateway.gateway.services.feedCursors.decode(after, 'after'),
      );
      expect(isFurther).toBe(1);
      if (__typename === 'FeedCheckpoint') {
        const { type, payload: errors } = await nextOf(socket, '1');
        expect([type, errors[0]]).toMatchObject([
          'error',
          {
            message: expect.stringMatching(/Come back with your last cursor\.$/),
            extensions: { code: 'RATE_LIMITED' },
          },
        ]);
      }
      after = cursor;
      socket.socket.terminate();
    }
    expect(ends.slice(0, -1)).toEqual(ends.slice(0, -1).map(() => 'FeedCheckpoint'));
    expect(ends.length).toBeGreaterThan(1);
  });

  test('of a client that has left read nothing more', async () => {
    const gateway = await started();
    const hold = Promise.withResolvers<void>();
    const reads = tableReads(gateway, async (run) => {
      await hold.promise;
      return run();
    });
    const socket = await socketOf(gateway);
    for (let at = 0; at < 20; at += 1) replay(socket, String(at), cursorAt(gateway, START), nothing(at));
    await until('all have begun', async () => (await subscribers(gateway)) === 20);
    await until('the first reads', () => reads.length > 0);
    socket.socket.terminate();
    await until('all have ended', async () => (await subscribers(gateway)) === 0);
    hold.resolve();
    const other = await socketOf(gateway);
    replay(other, 'last', cursorAt(gateway, START), null);
    await caughtUpOf(other, 'last');
    // The one that ran when they left; the other's read all that memory does not hold, by 250.
    expect(reads.length).toBe(1 + OLD / 250);
    other.socket.terminate();
  });

  test('of one user go a piece at a time, and nobody else waits for them', async () => {
    const gateway = await started();
    const { readSource } = gateway.gateway.services;
    const { execute } = readSource;
    // Whose turns hers are, her first read of the table tells.
    const users = tableReads(gateway);
    const ada = await socketOf(gateway);
    replay(ada, 'first', cursorAt(gateway, START), nothing());
    await caughtUpOf(ada, 'first');
    const hold = Promise.withResolvers<void>();
    const pieces: number[] = [];
    let [running, most] = [0, 0];
    readSource.execute = async (statement, parameters, turn) => {
      const ids = parameters.find(Array.isArray) as unknown[] | undefined;
      if (!ids || turn.users[0] !== users[0]) return execute(statement, parameters, turn);
      pieces.push(ids.length);
      running += 1;
      most = Math.max(most, running);
      await hold.promise;
      return execute(statement, parameters, turn).finally(() => {
        running -= 1;
      });
    };
    const documents = Array.from({ length: 3 }, (_, at) => LABELS.replace('label', `a${at}: label`));
    for (const [at, query] of documents.entries()) replay(ada, String(at), cursorAt(gateway, START), null, query);
    await until('a piece is held', () => pieces.length > 0);
    const other = await gateway.subscribe(
      LABELS,
      { after: cursorAt(gateway, START) },
      { token: await gateway.token('ACCOUNT_ADMIN', { user: 'eve@partner.example' }) },
    );
    expect(await labelsOf(other, OLD)).toEqual(numbers(OLD));
    expect(pieces).toEqual([25]);
    hold.resolve();
    for (const [at] of documents.entries()) await caughtUpOf(ada, String(at));
    expect([most, Math.max(...pieces)]).toEqual([1, 25]);
    await other.end();
    ada.socket.terminate();
    // Thirty-nine thousand entries, 25 at a time, are minutes where the machine is busy.
  }, 900_000);

  test('of connections that take nothing are not read', async () => {
    const gateway = await started();
    const { services } = gateway.gateway;
    const reads = tableReads(gateway);
    const fanOut = new FanOut(services);
    const { auth, signingSecret } = services.config;
    const keySets = new KeySets({ log: services.log });
    const authenticate = createAuthenticate({ auth, signingSecret, keySets, log: services.log });
    const viewer = await authenticate(`Bearer ${await gateway.token('ACCOUNT_ADMIN')}`);
    const deliver = async (user: string, sink: Sink) => {
      const subscription = await openFeedSubscription(services, { viewer, user }, cursorAt(gateway, START), {});
      return fanOut.deliver({
        key: 'all',
        subscription,
        render: async (messages) => messages.map(() => Buffer.from('{}')),
        sink,
        charge: { delivered: () => null, read: () => null },
      });
    };
    const gone = Promise.withResolvers<void>();
    const stuck = { backlog: 1_000_000, write: () => undefined, flushed: () => gone.promise };
    const held = await Promise.all(Array.from({ length: 10 }, () => deliver('ada', stuck)));
    let written = 0;
    const quick = await deliver('ada', {
      backlog: 0,
      write: ({ messages }) => {
        written += messages.length;
      },
      flushed: async () => undefined,
    });
    // Entries, and FeedCaughtUp.
    await until('another one of theirs has everything', () => written === ALL + 1);
    expect(reads.length).toBe(OLD / 250);
    for (const delivery of [...held, quick]) await delivery.return?.();
    gone.resolve();
  });
});

/** Embedded there is one connection: nothing to keep apart. */
const onServer = serverUrl ? describe : describe.skip;

onServer('replays that a statement holds up', () => {
  test('take one connection of those for long reads, and leave the gateway its own', async () => {
    const database = await testDatabase();
    if (database.config.kind !== 'server') throw new Error('needs a server');
    const config = { database: { ...database.config, analysts: { poolSize: 4, statementTimeoutMs: 60_000 } } };
    const gateway = await started({ database, config });
    const locker = await client(database);
    const watcher = await client(database);
    open.push({ stop: async () => void (await Promise.all([locker.end(), watcher.end()])) });
    const ada = await socketOf(gateway);
    replay(ada, 'known', cursorAt(gateway, feedOf(gateway).position), nothing());
    await caughtUpOf(ada, 'known');
    await locker.query('begin; lock table "activity_entries" in access exclusive mode');
    for (let at = 0; at < 12; at += 1) replay(ada, String(at), cursorAt(gateway, START), nothing(at));
    await until('all have begun', async () => (await subscribers(gateway)) === 13);
    // Beside them the metric of seals waits, on one connection, whoever looks at the metrics.
    const waiting = async () => {
      const { rows } = await watcher.query(
        `select count(*)::int as "count" from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and state = 'active'
           and query not like '%"activity_seals"%'`,
      );
      return rows[0].count as number;
    };
    await until('the feed and a replay wait for the lock', async () => (await waiting()) >= 2);
    const read = await gateway.run('{ customers(first: 1) { nodes { id } } }', {}, 'ADMIN_AGENT');
    const ready = await fetch(`${gateway.url}/health/ready`);
    expect([read.status, read.errors, ready.status, await waiting()]).toEqual([200, undefined, 200, 2]);
    ada.socket.terminate();
    await until('what was read for who has left is cancelled', async () => (await waiting()) === 1);
    await locker.query('rollback');
  });
});
