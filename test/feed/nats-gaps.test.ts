import { afterEach, describe, expect, test } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type FeedEntry } from '../../src/activity-log/entry.js';
import { type Position, START } from '../../src/activity-log/position.js';
import { AdvisoryLock } from '../../src/database/advisory-locks.js';
import { EntryStream } from '../../src/feed/nats/entry-stream.js';
import { encodeEntry, encodeHeartbeat, namesOf } from '../../src/feed/nats/wire.js';
import { serverUrl, testDatabase } from '../support/database.js';
import { caughtUp, client, feedOf, insert, pull, shared, table } from '../support/feed.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { hasNats, startNats } from '../support/nats.js';
import { until } from '../support/until.js';

const isThere = serverUrl && hasNats;
if (!isThere) console.warn('Gaps of the stream need a PostgreSQL server (TEST_DATABASE_URL) and a nats-server binary.');
const onNats = isThere ? test : test.skip;
const LIMITS = { maxAgeMs: 3_600_000, maxBytes: 64 * 1024 * 1024 };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A gateway for which the test is the relay: it holds the lock, and says what it likes. */
async function relayedByTest() {
  const database = await testDatabase();
  closing.push(database.drop);
  const nats = await startNats();
  closing.push(nats.drop);
  const lock = await client(database);
  closing.push(() => lock.end());
  await lock.query(`select pg_advisory_lock(${AdvisoryLock.RELAY})`);
  const gateway = await startTestGateway({
    database: shared(database),
    config: { nats: { url: nats.url, ...LIMITS } },
  });
  closing.push(gateway.stop);
  const connection = await connect({ servers: nats.url });
  closing.push(() => connection.close());
  const { incarnation } = gateway.gateway.services.feedCursors;
  const stream = await EntryStream.open(connection, incarnation, LIMITS);
  const told = { position: START as Position, sequence: 0 };
  const say = () => connection.publish(namesOf(incarnation).heartbeat, encodeHeartbeat({ ...told, isLast: false }));
  const timer = setInterval(say, 200);
  closing.push(async () => clearInterval(timer));
  await until('it follows', async () => (await metricOf(gateway, 'csp_graph_feed_from_nats')) === 1);
  return { gateway, stream, connection, incarnation, told };
}
const filled = (gateway: TestGateway) => metricOf(gateway, 'csp_graph_feed_filled');
const ids = (entries: readonly FeedEntry[]) => entries.map(({ id }) => id);
const visible = async (gateway: TestGateway, count: number) => {
  await until('they are below the horizon', async () => (await table(gateway)).length === count);
  return table(gateway);
};
/** Publishes past the checks, as nobody should. */
async function publish(connection: NatsConnection, incarnation: string, previous: Position, entry: FeedEntry) {
  await jetstream(connection).publish(namesOf(incarnation).entries, encodeEntry({ previous, entry }));
}

describe('gaps of the stream', () => {
  onNats('what the stream lacks before a message is read from the database, and joined', async () => {
    const { gateway, stream } = await relayedByTest();
    await insert(gateway, 10);
    const all = await visible(gateway, 10);
    await stream.append(all.slice(6), all[5] as FeedEntry);
    await caughtUp(gateway, 10);
    expect(ids(await pull(feedOf(gateway), START))).toEqual(ids(all));
    expect(await filled(gateway)).toBe(6);
  });

  onNats('what the relay has published and the stream does not bring is read from the database', async () => {
    const { gateway, told } = await relayedByTest();
    await insert(gateway, 4);
    const all = await visible(gateway, 4);
    told.position = all[2] as FeedEntry;
    told.sequence = 3;
    await until('it has the first three', async () => (await pull(feedOf(gateway), START)).length === 3);
    expect(ids(await pull(feedOf(gateway), START))).toEqual(ids(all.slice(0, 3)));
    expect(await filled(gateway)).toBe(3);
  });

  onNats('what comes again, or out of order, is told once and in order', async () => {
    const { gateway, connection, incarnation } = await relayedByTest();
    await insert(gateway, 6);
    const all = await visible(gateway, 6);
    for (const index of [0, 1, 0, 3, 2, 1, 3, 5, 4, 0])
      await publish(connection, incarnation, all[index - 1] ?? START, all[index] as FeedEntry);
    await caughtUp(gateway, 6);
    expect(ids(await pull(feedOf(gateway), START))).toEqual(ids(all));
  });

  onNats('a message that is none is left out, and what it stood for is read from the database', async () => {
    const { gateway, connection, incarnation, told } = await relayedByTest();
    await insert(gateway, 3);
    const all = await visible(gateway, 3);
    await publish(connection, incarnation, START, all[0] as FeedEntry);
    await jetstream(connection).publish(namesOf(incarnation).entries, 'no entry');
    connection.publish(namesOf(incarnation).heartbeat, 'no heartbeat');
    told.position = all[1] as FeedEntry;
    told.sequence = 2;
    await publish(connection, incarnation, all[1] as FeedEntry, all[2] as FeedEntry);
    told.position = all[2] as FeedEntry;
    told.sequence = 3;
    await caughtUp(gateway, 3);
    expect(ids(await pull(feedOf(gateway), START))).toEqual(ids(all));
  });

  onNats('of two that think they relay, the one that does not know the last message is refused', async () => {
    const { gateway, stream, connection, incarnation } = await relayedByTest();
    await insert(gateway, 6);
    const all = await visible(gateway, 6);
    const stale = await EntryStream.open(connection, incarnation, LIMITS);
    await stream.append(all.slice(0, 3), START);
    // What is there already is there once.
    await stale.append(all.slice(0, 2), START);
    await expect(stale.append(all.slice(3), all[2] as FeedEntry)).rejects.toThrow();
    // It looks where the stream ends, as one does that begins to relay, and goes on there.
    const fresh = await EntryStream.open(connection, incarnation, LIMITS);
    expect([fresh.sequence, fresh.lastPosition]).toMatchObject([3, { xid: all[2]?.xid, seq: all[2]?.seq }]);
    await fresh.append(all.slice(3), fresh.lastPosition as Position);
    await caughtUp(gateway, 6);
    expect(ids(await pull(feedOf(gateway), START))).toEqual(ids(all));
    expect(await filled(gateway)).toBe(0);
  });
});
