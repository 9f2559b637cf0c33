import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { FeedCursors } from '../activity-log/feed-cursors.js';
import { HorizonWatch } from '../activity-log/horizon.js';
import { establishIncarnation } from '../activity-log/incarnation.js';
import { Revocations } from '../auth/revocations.js';
import type { Config } from '../config/config.js';
import { FanOut } from '../feed/delivery/fan-out.js';
import { DatabaseSource } from '../feed/entry-source.js';
import { Feed } from '../feed/feed.js';
import { NatsSource } from '../feed/nats/nats-source.js';
import { repeat } from '../lib/repeat.js';
import { readRevocations } from '../modules/access/read-revocations.js';
import type { Lifecycle } from './lifecycle.js';

/** How often to look for what other processes revoked. */
const REVOCATIONS_MS = 1_000;
/** A revocation bears the time at which its transaction began; it may be committed that much later. */
const OVERLAP_MS = 120_000;
/** How often to look for a transaction that holds the feed back. */
const HORIZON_MS = 5_000;

/** What the feed is started with. */
export interface StartFeedOptions {
  config: Config;
  /** Connections for the gateway's own work. */
  kysely: Kysely<unknown>;
  now: () => Date;
  log: Logger;
  lifecycle: Lifecycle;
}

/** The feed of a process, reading, and what belongs to it. */
export interface RunningFeed {
  feed: Feed;
  fanOut: FanOut;
  feedCursors: FeedCursors;
  revocations: Revocations;
  horizon: HorizonWatch;
  /** Null where the feed reads the database. */
  nats: NatsSource | null;
}

/** Starts the feed at the end of the log: its source, its cursors, its delivery, and who is revoked. */
export async function startFeed({ config, kysely, now, log, lifecycle }: StartFeedOptions): Promise<RunningFeed> {
  const feedCursors = new FeedCursors(config.signingSecret, (await establishIncarnation(kysely)).id);
  const revocations = new Revocations();
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
    source: nats ?? new DatabaseSource(kysely, feedPollMs),
    log,
    onEntry: (entry) => {
      if (entry.action === 'ACCESS_REVOKED') revocations.add(entry.resourceId, entry.at);
    },
    refreshIncarnation: async () => {
      const { id } = await establishIncarnation(kysely);
      if (id === feedCursors.incarnation) return false;
      log.warn({ incarnation: id }, 'the database is another one than before: restored, or failed over');
      feedCursors.incarnation = id;
      return true;
    },
  });
  lifecycle.onClose(() => feed.stop());
  await feed.start();
  // After the feed stands at the end of the log: a revocation is either read here or by the feed, never by neither.
  for (const { userPrincipalName, revokedAt } of await readRevocations(kysely))
    revocations.add(userPrincipalName, revokedAt);
  const horizon = new HorizonWatch(kysely, log, config.horizonWarnMs);
  if (config.database.kind === 'server') {
    // The feed tells revocations too, but not before its horizon: one may wait for somebody's long transaction.
    const learn = async () => {
      const recent = await readRevocations(kysely, now().getTime() - OVERLAP_MS);
      const news = recent.filter(({ userPrincipalName, revokedAt }) => revocations.add(userPrincipalName, revokedAt));
      if (news.length > 0) feed.wake();
    };
    const tasks = [
      repeat(REVOCATIONS_MS, 'reading revocations', learn, log),
      repeat(HORIZON_MS, "watching the feed's horizon", () => horizon.check(), log),
    ];
    lifecycle.onClose(() => Promise.all(tasks.map((task) => task.stop())));
  }
  const fanOut = new FanOut({ feed, feedCursors, revocations, kysely, config, log });
  return { feed, fanOut, feedCursors, revocations, horizon, nats };
}
