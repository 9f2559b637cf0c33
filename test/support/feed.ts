import pg from 'pg';
import { type FeedEntry } from '../../src/activity-log/entry.js';
import { comparePositions, type Position, START } from '../../src/activity-log/position.js';
import { readEntries } from '../../src/activity-log/read-entries.js';
import type { Feed } from '../../src/feed/feed.js';
import type { TestDatabase } from './database.js';
import { insertEntries } from './entries.js';
import type { TestGateway, TestStream } from './gateway.js';
import { until } from './until.js';

export const LABELS = `subscription ($after: String) {
  activity(after: $after) { __typename ... on ActivityRecorded { cursor entry { resource { label } } } ... on FeedCaughtUp { cursor } }
}`;

export const feedOf = (gateway: TestGateway) => gateway.gateway.services.feed;
export const cursorAt = (gateway: TestGateway, position: Position) =>
  gateway.gateway.services.feedCursors.encode(position);
/** Commits entries, past the gateway: it finds them by looking. */
export const insert = (gateway: TestGateway, count: number) => gateway.sql(insertEntries, [count]);
/** Every entry of the table, in commit order. */
export const table = async (gateway: TestGateway) => {
  const { kysely } = gateway.gateway.services;
  return readEntries(kysely, { after: START, limit: 1_000_000 });
};
export const caughtUp = (gateway: TestGateway, total: number) =>
  until(`${total} entries are read`, async () => {
    const entries = await table(gateway);
    return entries.length >= total && comparePositions(feedOf(gateway).position, entries.at(-1) as FeedEntry) >= 0;
  });
/** All entries after a position, pulled as subscribers pull. */
export async function pull(feed: Feed, from: Position): Promise<FeedEntry[]> {
  const pulled: FeedEntry[] = [];
  const replay = feed.replay({ users: ['test'], cost: 0 });
  for (let position = from; ; ) {
    const next = await feed.after(position, {}, replay);
    pulled.push(...next.entries);
    if (comparePositions(next.position, position) === 0) return pulled;
    position = next.position;
  }
}
export const labelsOf = async (stream: TestStream, count: number) => {
  const labels: string[] = [];
  while (labels.length < count) labels.push((await stream.nextOf('ActivityRecorded')).entry.resource.label);
  return labels;
};
export const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1));

/** The same database for another gateway: it is dropped by the first one alone. */
export const shared = (database: TestDatabase): TestDatabase => ({ ...database, drop: async () => undefined });
/** A connection of the test's own. */
export const client = async (database: TestDatabase) => {
  const connection = new pg.Client((database.config as { url: string }).url);
  await connection.connect();
  return connection;
};
export const insertOn = (connection: pg.Client, count: number) =>
  connection.query(insertEntries.replace('?', '$1'), [count]);
