import type { FeedEntry } from '../../activity-log/entry.js';

/** What a stream says. Every message but the last of a revoked user carries the cursor at which to resume. */
export type FeedMessage =
  | { type: 'entry'; cursor: string; entry: FeedEntry }
  | { type: 'FeedCaughtUp'; cursor: string }
  | { type: 'FeedCheckpoint'; cursor: string }
  | { type: 'FeedDraining'; cursor: string }
  | { type: 'AccessChanged' };
