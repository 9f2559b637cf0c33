import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { isOutOfReach } from '../lib/connection-errors.js';
import type { Execute } from './execute.js';

/** Most places of the primary that are remembered while the replica is behind them. */
const MAXIMUM_NOTES = 600;

/** The replica's address leads to a database that is not a copy of this one. */
export class NotAReplica extends Error {
  override name = 'NotAReplica';
  constructor() {
    super(
      'DATABASE_REPLICA_URL: must be a streaming replica of the database at DATABASE_URL; it is another cluster or another database',
    );
  }
}

/**
 * A streaming replica for reads that may be a moment old, never those of somebody who can write. How old it is comes
 * from the primary's own places in its log: what it says of itself would stand still when the stream to it is cut.
 */
export class Replica {
  /** Where the primary stood when, and the replica has not been seen yet. */
  private readonly ahead: { lsn: bigint; at: number }[] = [];
  /** When the primary stood where the replica was seen last. */
  private reachedAt = Number.NEGATIVE_INFINITY;
  private isThere = false;
  private told = '';

  constructor(
    private readonly primary: Kysely<unknown>,
    private readonly replica: Kysely<unknown>,
    /** How far it may be behind for reads to go there, in milliseconds. */
    private readonly maximumLagMs: number,
    private readonly log: Logger,
    private readonly now: () => number = Date.now,
  ) {}

  /** Milliseconds by which the replica is behind at most; infinite where it is not there. */
  get lagMs(): number {
    return this.isThere ? this.now() - this.reachedAt : Number.POSITIVE_INFINITY;
  }

  /** Whether reads may go there. */
  get isFresh(): boolean {
    return this.lagMs <= this.maximumLagMs;
  }

  /**
   * Looks how far it is. To be called again and again.
   * @throws {NotAReplica} where it is there and is no copy of the primary
   */
  async check(): Promise<void> {
    const at = this.now();
    const primary = await placeOf(this.primary, sql`pg_current_wal_lsn()`);
    if (this.ahead.length < MAXIMUM_NOTES) this.ahead.push({ lsn: primary.lsn, at });
    try {
      const replica = await placeOf(this.replica, sql`pg_last_wal_replay_lsn()`);
      this.isThere = replica.isReplica && replica.database === primary.database;
      if (!this.isThere) throw new NotAReplica();
      while (this.ahead[0] && this.ahead[0].lsn <= replica.lsn)
        this.reachedAt = (this.ahead.shift() as { at: number }).at;
    } catch (error) {
      this.isThere = false;
      if (!isOutOfReach(error)) throw error;
    }
    const state = this.isFresh ? 'followed' : this.isThere ? 'too far behind' : 'out of reach';
    if (state !== this.told) this.log[this.isFresh ? 'info' : 'warn'](`the replica is ${state}`);
    this.told = state;
  }

  /** Runs reads on the replica, and on the primary while it is not there or too old. */
  execute(onReplica: Execute, onPrimary: Execute): Execute {
    return async (statement, parameters, turn) => {
      if (!this.isFresh) return onPrimary(statement, parameters, turn);
      try {
        return await onReplica(statement, parameters, turn);
      } catch (error) {
        if (turn.abort?.aborted || !isOutOfReach(error)) throw error;
        this.isThere = false;
        return onPrimary(statement, parameters, turn);
      }
    };
  }
}

/** Which database answers, and how far it is in the log of the cluster. */
async function placeOf(kysely: Kysely<unknown>, place: ReturnType<typeof sql>) {
  const { rows } = await sql<{ database: string; isReplica: boolean; lsn: string | null }>`
    select concat_ws('/', (select "system_identifier" from pg_control_system()),
        (select "oid" from "pg_database" where "datname" = current_database())) as "database",
      pg_is_in_recovery() as "isReplica", (${place} - '0/0'::pg_lsn)::text as "lsn"`.execute(kysely);
  const { database, isReplica, lsn } = rows[0] as (typeof rows)[number];
  return { database, isReplica, lsn: BigInt(lsn ?? 0) };
}
