import type { FeedEntry } from '../../activity-log/entry.js';

/** What a stream says. Every message carries the cursor at which to resume; the last of a revoked user, for when access is given back. */
export type FeedMessage =
  | { type: 'entry'; cursor: string; entry: FeedEntry }
  | { type: 'FeedCaughtUp'; cursor: string }
  | { type: 'FeedCheckpoint'; cursor: string }
  | { type: 'FeedDraining'; cursor: string }
  | { type: 'AccessChanged'; cursor: string };
