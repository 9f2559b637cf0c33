import type { Kysely } from 'kysely';
import { type FeedEntry } from '../activity-log/entry.js';
import type { Position } from '../activity-log/position.js';
import { readEntries } from '../activity-log/read-entries.js';

/** Where the feed of a process gets new entries from: the database, or what another process read there (`nats/`). */
export interface EntrySource {
  /** Milliseconds between polls of the feed. */
  readonly pollMs: number;
  /** Begins; `poll` is to be called when there is something to read before the next poll. */
  start(poll: () => void): void;
  /**
   * What follows a position: in commit order, without a gap or a repeat, below the horizon. Fewer than `limit`: nothing
   * more is there for now.
   * @throws where the database had to be asked and did not answer
   */
  read(after: Position, limit: number): Promise<FeedEntry[]>;
  /** This process has committed something. */
  notify(): void;
  /** Whether the database may have become another one unseen since it was last confirmed. */
  readonly mayHaveFailedOver: boolean;
  /** It has been looked at: what may have happened unseen is known. */
  confirmDatabase(): void;
  /** The database is another one: what was gathered of the one before is void. */
  restart(): void;
  stop(): Promise<void>;
}

/** The database itself: read at every poll, and after each commit in this process. */
export class DatabaseSource implements EntrySource {
  readonly mayHaveFailedOver = false;

  constructor(
    private readonly kysely: Kysely<unknown>,
    readonly pollMs: number,
  ) {}

  start(): void {
    // The feed polls by itself.
  }

  read(after: Position, limit: number): Promise<FeedEntry[]> {
    return readEntries(this.kysely, { after, limit });
  }

  notify(): void {
    // The feed polls by itself.
  }

  confirmDatabase(): void {
    // Whoever reads it sees it fail.
  }

  restart(): void {
    // Nothing was gathered.
  }

  async stop(): Promise<void> {
    // Nothing is open.
  }
}
