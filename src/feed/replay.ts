import type { FeedEntry } from '../activity-log/entry.js';
import type { EntryFilter } from '../activity-log/entry-filter.js';
import { comparePositions, type Position } from '../activity-log/position.js';
import type { Turn } from '../database/execute.js';
import type { EntryTable } from './entry-table.js';

/** Entries of a statement: as many as PostgreSQL reads, and this process parses, in a few milliseconds. */
const BATCH_SIZE = 250;
/** Most entries that a statement looks at for a filter, whether they pass or not: a few milliseconds too. */
const SPAN_SIZE = 20_000;

/** What follows a position. */
export interface NextEntries {
  /** Those that pass, in commit order. */
  entries: readonly FeedEntry[];
  /** That is all up to here. */
  position: Position;
  /** Whether they were in memory: they are everybody's then. */
  isRecent: boolean;
  /** How many were looked at for a filter. */
  lookedAt: number;
  /** How many came out of the table. */
  read: number;
}

/** Whether some entries may not pass. */
export const isNarrow = (filter: EntryFilter) => Object.values(filter).some((value) => value != null);

/**
 * Reads the table for one subscriber, from where memory does not reach back to. For a filter it looks at so many entries
 * at a time: so no statement is long, what is looked at is known and can be charged, and between two of them others have
 * their turn.
 */
export class Replay {
  /** Entries up to here are looked at, and charged, already. */
  private spanEnd: Position | null = null;

  constructor(
    private readonly table: EntryTable,
    private readonly turn: Turn,
  ) {}

  /** What follows a position up to another one, at most so many that few milliseconds go by. */
  async after(after: Position, until: Position, filter: EntryFilter): Promise<NextEntries> {
    if (!isNarrow(filter)) return this.read(after, until, filter, 0);
    if (this.spanEnd && comparePositions(after, this.spanEnd) < 0) return this.read(after, this.spanEnd, filter, 0);
    const span = await this.table.span({ after, until, limit: SPAN_SIZE }, this.turn);
    this.spanEnd = span.end ?? until;
    return this.read(after, this.spanEnd, filter, span.count);
  }

  private async read(after: Position, until: Position, filter: EntryFilter, lookedAt: number): Promise<NextEntries> {
    const entries = await this.table.read({ after, until, filter, limit: BATCH_SIZE }, this.turn);
    const position = entries.length === BATCH_SIZE ? (entries.at(-1) as FeedEntry) : until;
    return { entries, position, isRecent: false, lookedAt, read: entries.length };
  }
}
