import type { EntryFilter } from '../../activity-log/entry-filter.js';
import type { Position } from '../../activity-log/position.js';
import type { AbortFlag } from '../../lib/abort-flag.js';
import type { FeedServices } from '../feed-services.js';
import type { ReplayTurns } from './replay-turns.js';
import type { SharedTexts } from './shared-texts.js';

/** What subscribers that get the same texts have in common. */
export interface Shared {
  readonly services: FeedServices;
  readonly filter: EntryFilter;
  readonly texts: SharedTexts;
  /** Live subscribers have been given everything up to here. */
  readonly position: Position;
  /** Set when the last subscriber has gone. */
  readonly abort: AbortFlag;
  /** Lets those that catch up read and render a piece at a time. */
  readonly replays: ReplayTurns;
  /** How many they are. */
  count(): number;
  /** The subscriber has ended. */
  remove(subscriber: object): void;
}
