import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { FeedEntry } from '../activity-log/entry.js';
import { type EntryFilter, passes } from '../activity-log/entry-filter.js';
import { comparePositions, type Position, START } from '../activity-log/position.js';
import { entriesAfter, lastPosition } from '../activity-log/read-entries.js';
import type { Turn } from '../database/execute.js';
import type { EntrySource } from './entry-source.js';
import type { EntryTable } from './entry-table.js';
import { isNarrow, type NextEntries, Replay } from './replay.js';

/** Most recent entries kept in memory; a subscriber further behind reads the table at its own cursor. */
const BUFFERED_ENTRIES = 10_000;
const BATCH_SIZE = 500;
/** Between two reads: what many commit at once is read at once. */
const SHORTEST_PAUSE_MS = 20;

/** What the feed needs. */
export interface FeedOptions {
  /** The gateway's own connections: for where the log ends. */
  kysely: Kysely<unknown>;
  /** The log as users have it read. */
  table: EntryTable;
  /** Where new entries come from. */
  source: EntrySource;
  log: Logger;
  /** Hears entries first, in commit order: revocations take effect before anything after them is delivered. */
  beforeEntries: (entries: readonly FeedEntry[]) => Promise<void>;
  /**
   * Looks again which database it is, when it answers again after it did not. Resolves with true where it is another
   * one than before: restored, or failed over.
   */
  refreshIncarnation: () => Promise<boolean>;
}

/**
 * One reader of the activity log per process, whatever the number of subscribers. It reads in commit order what was
 * committed since, when notified of a commit in this process and by polling its source for those of others, and keeps
 * the latest in memory. Subscribers pull: each at its own cursor and pace, so a slow one holds nobody up.
 */
export class Feed {
  private entries: FeedEntry[] = [];
  /** Everything after it is in `entries`. */
  private bufferedAfter: Position = START;
  private readonly waiting = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | null = null;
  private again = false;
  /** When it was read last, by the clock of the process. */
  private readAt = Number.NEGATIVE_INFINITY;
  private failing = false;
  private state: 'idle' | 'running' | 'draining' | 'stopped' = 'idle';
  /** The last entry read. */
  position: Position = START;
  /** Counts the databases that it has read: a stream that began on another one cannot go on. */
  generation = 0;

  constructor(private readonly options: FeedOptions) {}

  /** Begins at the end of the log. */
  async start(): Promise<void> {
    await this.beginAtEnd();
    this.state = 'running';
    this.options.source.start(() => this.poll());
    this.schedule();
  }

  /** Says that this process has committed something: it is read now. */
  notify(): void {
    this.options.source.notify();
    this.poll();
  }

  private poll(): void {
    if (this.state !== 'running') return;
    if (this.reading) {
      this.again = true;
      return;
    }
    const pause = this.readAt + SHORTEST_PAUSE_MS - performance.now();
    if (pause > 0) {
      this.schedule(pause);
      return;
    }
    this.readAt = performance.now();
    clearTimeout(this.timer);
    this.reading = this.readNext().finally(() => {
      this.reading = null;
      if (this.again) {
        this.again = false;
        this.poll();
      } else {
        this.schedule();
      }
    });
  }

  /** Whether a position is one of this log: that of an entry that readers may see, or before all. */
  async isKnown(position: Position, turn: Turn): Promise<boolean> {
    if (comparePositions(position, START) === 0) return true;
    if (this.isBuffered(position) && comparePositions(position, this.position) <= 0) {
      if (comparePositions(position, this.bufferedAfter) === 0) return true;
      const [before] = entriesAfter(this.entries, { xid: position.xid, seq: position.seq - 1n });
      return before !== undefined && comparePositions(before, position) === 0;
    }
    return this.table.has(position, turn);
  }

  /** Whether everything after a position is in memory. */
  isBuffered(position: Position): boolean {
    return comparePositions(position, this.bufferedAfter) >= 0;
  }

  /** The log as users have it read. */
  get table(): EntryTable {
    return this.options.table;
  }

  /** Reads of somebody who goes further back than memory. */
  replay(turn: Turn): Replay {
    return new Replay(this.table, turn);
  }

  /** Entries after a position that pass, a batch at a time: out of memory, or by `replay` out of the table. */
  async after(position: Position, filter: EntryFilter, replay: Replay): Promise<NextEntries> {
    if (!this.isBuffered(position)) return replay.after(position, this.position, filter);
    const next = entriesAfter(this.entries, position).slice(0, BATCH_SIZE);
    return {
      entries: next.filter((entry) => passes(entry, filter)),
      position: next.at(-1) ?? position,
      isRecent: true,
      lookedAt: isNarrow(filter) ? next.length : 0,
      read: 0,
    };
  }

  /** Resolves when there is more to read, the feed changes state, or `signal` fires. */
  changed(signal: AbortSignal, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done);
      this.waiting.add(done);
      if (signal.aborted || this.isDraining) done();
    });
  }

  /** Whether the gateway stops: subscribers are told FeedDraining. */
  get isDraining(): boolean {
    return this.state === 'draining' || this.state === 'stopped';
  }

  /** How many subscribers wait: for the metrics, and to prove that exits release everything. */
  get waiters(): number {
    return this.waiting.size;
  }

  /** Has subscribers told FeedDraining, with a cursor. */
  drain(): void {
    this.state = 'draining';
    this.wake();
  }

  /** Ends reading. */
  async stop(): Promise<void> {
    this.state = 'stopped';
    clearTimeout(this.timer);
    this.wake();
    await this.reading;
    await this.options.source.stop();
  }

  private schedule(afterMs = this.options.source.pollMs): void {
    if (this.state !== 'running') return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), afterMs);
    this.timer.unref();
  }

  private async readNext(): Promise<void> {
    const { source } = this.options;
    try {
      if (source.mayHaveFailedOver || this.failing) {
        if (await this.options.refreshIncarnation()) await this.beginAgain();
        source.confirmDatabase();
      }
      for (;;) {
        const next = await source.read(this.position, BATCH_SIZE);
        if (this.failing) this.options.log.info('the feed reads again');
        this.failing = false;
        if (next.length > 0) {
          await this.options.beforeEntries(next);
          this.buffer(next);
        }
        if (next.length < BATCH_SIZE) return;
      }
    } catch (error) {
      // Told once, not at every try: there are twenty a second.
      if (this.state === 'running' && !this.failing)
        this.options.log.error({ err: error }, 'the feed could not read; it tries again');
      this.failing = true;
    }
  }

  /** The database is another one. */
  private async beginAgain(): Promise<void> {
    await this.beginAtEnd();
    this.options.source.restart();
    this.generation += 1;
    this.wake();
  }

  private async beginAtEnd(): Promise<void> {
    this.position = (await lastPosition(this.options.kysely)) ?? START;
    this.bufferedAfter = this.position;
    this.entries = [];
  }

  private buffer(next: FeedEntry[]): void {
    this.entries.push(...next);
    this.position = next.at(-1) as FeedEntry;
    const surplus = this.entries.length - BUFFERED_ENTRIES;
    if (surplus > 0) {
      this.bufferedAfter = this.entries[surplus - 1] as FeedEntry;
      this.entries = this.entries.slice(surplus);
    }
    this.wake();
  }

  /** Lets whoever waits look again: there is more, or access has changed. */
  wake(): void {
    for (const waiter of [...this.waiting]) waiter();
  }
}
