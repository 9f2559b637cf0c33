import type { Logger } from 'pino';
import type { FeedCursors } from '../activity-log/feed-cursors.js';
import type { Revocations } from '../auth/revocations.js';
import type { Config } from '../config/config.js';
import type { Feed } from './feed.js';

/** What delivering the feed needs of the process; `Services` has all of it. */
export interface FeedServices {
  feed: Feed;
  feedCursors: FeedCursors;
  revocations: Revocations;
  config: Pick<Config, 'feedCheckpointMs'>;
  log: Logger;
}
