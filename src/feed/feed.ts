import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { entriesAfter, type FeedEntry, type FeedFilter, lastPosition, passes, readEntries } from './feed-entry.js';
import { comparePositions, type Position, START } from './position.js';

/** Most recent entries kept in memory; a subscriber further behind reads the table at its own cursor. */
const KEPT_ENTRIES = 10_000;
const BATCH_SIZE = 500;

/** What the feed needs. */
export interface FeedOptions {
  kysely: Kysely<unknown>;
  /** Milliseconds between looks for what other processes committed. */
  pollMs: number;
  log: Logger;
  /** Hears each entry first, in commit order: revocations take effect before the entry is delivered. */
  onEntry: (entry: FeedEntry) => void;
}

/**
 * One reader of the activity log per process, whatever the number of subscribers (product.md section 4). It reads in
 * commit order what was committed since, when poked after a commit in this process and by polling for others, and keeps
 * the latest in memory. Subscribers pull: each at its own cursor and pace, so a slow one holds nobody up.
 */
export class Feed {
  private entries: FeedEntry[] = [];
  /** Everything after it is in `entries`. */
  private keptAfter: Position = START;
  private readonly waiting = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | null = null;
  private again = false;
  private failing = false;
  private state: 'idle' | 'running' | 'draining' | 'stopped' = 'idle';
  /** The last entry read. */
  position: Position = START;

  constructor(private readonly options: FeedOptions) {}

  /** Begins at the end of the log. */
  async start(): Promise<void> {
    this.position = (await lastPosition(this.options.kysely)) ?? START;
    this.keptAfter = this.position;
    this.state = 'running';
    this.schedule();
  }

  /** Says that something was committed: look now. */
  poke(): void {
    if (this.state !== 'running') return;
    if (this.reading) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.reading = this.readOn().finally(() => {
      this.reading = null;
      if (this.again) {
        this.again = false;
        this.poke();
      } else {
        this.schedule();
      }
    });
  }

  /** Entries after a position that pass, and the position up to which that is all: at most `BATCH_SIZE`. */
  async after(position: Position, filter: FeedFilter): Promise<{ entries: readonly FeedEntry[]; position: Position }> {
    if (comparePositions(position, this.keptAfter) >= 0) {
      const next = entriesAfter(this.entries, position).slice(0, BATCH_SIZE);
      return { entries: next.filter((entry) => passes(entry, filter)), position: next.at(-1) ?? position };
    }
    const until = this.position;
    const entries = await readEntries(this.options.kysely, position, filter, BATCH_SIZE, until);
    return { entries, position: entries.length === BATCH_SIZE ? (entries.at(-1) as FeedEntry) : until };
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

  /** Whether subscribers should say goodbye. */
  get isDraining(): boolean {
    return this.state === 'draining' || this.state === 'stopped';
  }

  /** How many subscribers wait: for the metrics, and to prove that exits release everything. */
  get waiters(): number {
    return this.waiting.size;
  }

  /** Lets subscribers say goodbye with a cursor. */
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
  }

  private schedule(): void {
    if (this.state !== 'running') return;
    this.timer = setTimeout(() => this.poke(), this.options.pollMs);
    this.timer.unref();
  }

  private async readOn(): Promise<void> {
    try {
      for (;;) {
        const next = await readEntries(this.options.kysely, this.position, {}, BATCH_SIZE);
        if (this.failing) this.options.log.info('the feed reads again');
        this.failing = false;
        for (const entry of next) this.options.onEntry(entry);
        if (next.length > 0) this.keep(next);
        if (next.length < BATCH_SIZE) return;
      }
    } catch (error) {
      // Told once, not at every try: there are twenty a second.
      if (this.state === 'running' && !this.failing)
        this.options.log.error({ err: error }, 'the feed could not read; it tries again');
      this.failing = true;
    }
  }

  private keep(next: FeedEntry[]): void {
    this.entries.push(...next);
    this.position = next.at(-1) as FeedEntry;
    const surplus = this.entries.length - KEPT_ENTRIES;
    if (surplus > 0) {
      this.keptAfter = this.entries[surplus - 1] as FeedEntry;
      this.entries = this.entries.slice(surplus);
    }
    this.wake();
  }

  private wake(): void {
    for (const waiter of [...this.waiting]) waiter();
  }
}
