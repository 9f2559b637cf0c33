import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';

/** A transaction that holds the feed's horizon back. */
interface Holder {
  pid: number | null;
  /** Seconds since it began. */
  age: number;
  database: string;
  application: string;
  state: string;
}

/** How often the log names a transaction again that still holds the feed back. */
const REMIND_MS = 60_000;

/**
 * Watches what the feed waits for. Readers stay below the oldest transaction that may still write, of any database of
 * the cluster: one that is left open delays every entry committed after it, and only its owner can end it. So operators
 * are told which it is.
 */
export class HorizonWatch {
  /** Age of the oldest transaction that may still write, in seconds; 0 where there is none. */
  heldSeconds = 0;
  private toldOf: number | null = null;
  private toldAt = 0;

  constructor(
    private readonly kysely: Kysely<unknown>,
    private readonly log: Logger,
    private readonly warnAfterMs: number,
  ) {}

  /** Looks once which transaction holds the feed back, and tells the log where it has for long. */
  async check(): Promise<void> {
    const holder = await oldestWriter(this.kysely);
    this.heldSeconds = holder?.age ?? 0;
    if (!holder || holder.age * 1000 < this.warnAfterMs) {
      if (this.toldAt > 0) this.log.info('nothing holds the feed back any longer');
      this.toldAt = 0;
      return;
    }
    if (this.toldAt > 0 && this.toldOf === holder.pid && Date.now() - this.toldAt < REMIND_MS) return;
    this.toldOf = holder.pid;
    this.toldAt = Date.now();
    this.log.warn(
      { holder },
      `a transaction that has been open for ${Math.round(holder.age)} s holds the feed back; what was committed since is delivered when it ends. ${
        holder.pid === null
          ? 'It is a prepared one: COMMIT PREPARED or ROLLBACK PREPARED ends it'
          : `To end it: select pg_terminate_backend(${holder.pid})`
      }`,
    );
  }
}

/** Times of others' transactions are shown to members of pg_read_all_stats only; without them a transaction has age 0. */
async function oldestWriter(kysely: Kysely<unknown>): Promise<Holder | null> {
  const { rows } = await sql<Holder>`
    select "pid", coalesce(extract(epoch from clock_timestamp() - "began"), 0)::float8 as "age",
      "database", "application", "state"
    from (
      select "pid", age("backend_xid") as "xids", "xact_start" as "began", "datname"::text as "database",
        "application_name" as "application", coalesce("state", '') as "state"
      from pg_stat_activity where "backend_xid" is not null and "pid" <> pg_backend_pid()
      union all
      select null, age("transaction"), "prepared", "database"::text, "gid", 'prepared' from pg_prepared_xacts
    ) as "writers"
    order by "xids" desc limit 1`.execute(kysely);
  return rows[0] ?? null;
}
