import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { FeedCursors } from '../activity-log/feed-cursors.js';
import { HorizonWatch } from '../activity-log/horizon.js';
import { establishIncarnation } from '../activity-log/incarnation.js';
import { AccessWatch } from '../auth/access-watch.js';
import { Revocations } from '../auth/revocations.js';
import { Sessions } from '../auth/sessions.js';
import type { Config } from '../config/config.js';
import { FanOut } from '../feed/delivery/fan-out.js';
import { DatabaseSource } from '../feed/entry-source.js';
import type { EntryTable } from '../feed/entry-table.js';
import { Feed } from '../feed/feed.js';
import { NatsSource } from '../feed/nats/nats-source.js';
import { repeat } from '../lib/repeat.js';
import type { Lifecycle } from './lifecycle.js';

/** How often to look for a transaction that holds the feed back. */
const HORIZON_MS = 5_000;

/** What the feed is started with. */
export interface StartFeedOptions {
  config: Config;
  /** Connections for the gateway's own work. */
  kysely: Kysely<unknown>;
  /** The log as users have it read. */
  table: EntryTable;
  log: Logger;
  lifecycle: Lifecycle;
}

/** The feed of a process, reading, and what belongs to it. */
export interface RunningFeed {
  feed: Feed;
  fanOut: FanOut;
  feedCursors: FeedCursors;
  revocations: Revocations;
  accessWatch: AccessWatch;
  sessions: Sessions;
  horizon: HorizonWatch;
  /** Null where the feed reads the database. */
  nats: NatsSource | null;
}

/** Starts the feed at the end of the log: its source, its cursors, its delivery, and who is revoked. */
export async function startFeed({ config, kysely, table, log, lifecycle }: StartFeedOptions): Promise<RunningFeed> {
  const feedCursors = new FeedCursors(config.signingSecret, (await establishIncarnation(kysely)).id);
  const revocations = new Revocations();
  const isShared = config.database.kind === 'server';
  const accessWatch = new AccessWatch({
    kysely,
    revocations,
    isShared,
    onJoin: () => sessions.forgetRows(),
    onChange: () => {
      feed.wake();
      sessions.endRevoked(revocations);
    },
    log,
  });
  const sessions = new Sessions({ kysely, processId: accessWatch.processId, log });
  const { feedPollMs } = config;
  const nats =
    config.nats &&
    new NatsSource({
      kysely,
      log,
      pollMs: feedPollMs,
      ...config.nats,
      incarnation: () => feedCursors.incarnation,
    });
  const feed = new Feed({
    kysely,
    table,
    source: nats ?? new DatabaseSource(kysely, feedPollMs),
    log,
    beforeEntries: async (entries) => {
      if (entries.some(({ action }) => action === 'ACCESS_REVOKED' || action === 'ACCESS_RESTORED'))
        await accessWatch.learn();
    },
    refreshIncarnation: async () => {
      const { id } = await establishIncarnation(kysely);
      if (id === feedCursors.incarnation) return false;
      log.warn({ incarnation: id }, 'the database is another one than before: restored, or failed over');
      feedCursors.incarnation = id;
      return true;
    },
  });
  lifecycle.onClose('the feed', () => feed.stop());
  await feed.start();
  lifecycle.onClose('the watch over access', () => accessWatch.stop());
  await accessWatch.start();
  sessions.start();
  lifecycle.onClose('the list of sessions', () => sessions.stop());
  const horizon = new HorizonWatch(kysely, log, config.horizonWarnMs);
  if (isShared) {
    const watching = repeat(HORIZON_MS, "watching the feed's horizon", () => horizon.check(), log);
    lifecycle.onClose("the watch over the feed's horizon", () => watching.stop());
  }
  const fanOut = new FanOut({ feed, feedCursors, revocations, config, log });
  return { feed, fanOut, feedCursors, revocations, accessWatch, sessions, horizon, nats };
}
