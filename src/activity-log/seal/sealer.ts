import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { AdvisoryLock } from '../../database/advisory-locks.js';
import { type ExportedEntry, positionOf, readExported } from '../export-entries.js';
import { chain, leafOf, NO_HASH } from './leaf.js';
import { headSeal, insertSeal, type Seal } from './seals.js';

/** Most entries that one seal closes. */
const SEAL_SIZE = 1_000;
/** How far unsealed entries are counted: the answer of a metric, not of an auditor. */
const COUNTED = 100_000;

/** What operators see of sealing. */
export interface SealState {
  /** Number of the newest seal; 0: nothing is sealed yet. */
  number: number;
  /** Seconds since it was made; 0 where there is none. */
  ageSeconds: number;
  /** Entries after it, counted to 100 000. */
  unsealed: number;
}

/**
 * Seals the log behind its writers' backs: reads what was committed, in commit order and below the horizon as any reader,
 * and writes checkpoints into a table of its own. Writers' statements, locks and triggers are what they were.
 *
 * Every gateway has one; the lock of a seal's own transaction lets one of them work at a time, and lets it go by itself
 * when its process dies.
 */
export class Sealer {
  private timer: NodeJS.Timeout | undefined;
  private sealing: Promise<void> = Promise.resolve();
  private stopped = false;
  private failing = false;

  constructor(
    private readonly kysely: Kysely<unknown>,
    private readonly intervalMs: number,
    private readonly log: Logger,
  ) {}

  /** Looks for entries to seal, now and then. */
  start(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.sealing = this.sealAll().then(() => this.start());
    }, this.intervalMs);
    this.timer.unref();
  }

  /** Ends after the seal that is being written. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sealing;
  }

  /** What there is, for the metrics. */
  async state(): Promise<SealState> {
    const { rows } = await sql<{ number: string; age: number; unsealed: number }>`with "head" as (
        select "number", "xid", "seq", "sealed_at" from "activity_seals" order by "number" desc limit 1)
      select coalesce((select "number" from "head"), 0)::text as "number",
        coalesce((select extract(epoch from clock_timestamp() - "sealed_at") from "head"), 0)::float8 as "age",
        (select count(*) from (select from "activity_entries" where ("xid", "seq") >
          (coalesce((select "xid" from "head"), '0'::xid8), coalesce((select "seq" from "head"), 0))
          limit ${COUNTED}::int) as "some")::int as "unsealed"`.execute(this.kysely);
    const row = rows[0] as (typeof rows)[number];
    return { number: Number(row.number), ageSeconds: row.age, unsealed: row.unsealed };
  }

  private async sealAll(): Promise<void> {
    let last: Seal | null = null;
    try {
      for (;;) {
        const seal = await sealNext(this.kysely);
        last = seal ?? last;
        if (this.stopped || !seal || seal.entries < SEAL_SIZE) break;
      }
      this.failing = false;
    } catch (error) {
      if (!this.stopped && !this.failing) this.log.error({ err: error }, 'the log could not be sealed; it tries again');
      this.failing = true;
    }
    // Whoever keeps the log's lines elsewhere has the hash that the whole chain can be held against.
    if (last) this.log.info({ seal: last.number, head: last.hash.toString('hex') }, 'the activity log is sealed');
  }
}

/** Writes the next seal. Answers null where there is nothing to seal, or where another process seals. */
export async function sealNext(kysely: Kysely<unknown>): Promise<Seal | null> {
  return kysely.transaction().execute(async (transaction) => {
    const { rows } = await sql<{
      leads: boolean;
    }>`select pg_try_advisory_xact_lock(${AdvisoryLock.SEAL}::bigint) as "leads"`.execute(transaction);
    if (!rows[0]?.leads) return null;
    const head = await headSeal(transaction);
    const range = { filter: {}, after: head?.last ?? null, until: null };
    const entries = await readExported(transaction, range, SEAL_SIZE);
    if (entries.length === 0) return null;
    const leaves = Buffer.concat(entries.map(leafOf));
    const seal: Seal = {
      number: (head?.number ?? 0) + 1,
      last: positionOf(entries.at(-1) as ExportedEntry),
      entries: entries.length,
      leaves,
      hash: chain(head?.hash ?? NO_HASH, leaves),
    };
    await insertSeal(transaction, seal);
    return seal;
  });
}
