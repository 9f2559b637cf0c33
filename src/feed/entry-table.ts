import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type FeedEntry } from '../activity-log/entry.js';
import { comparePositions, type Position } from '../activity-log/position.js';
import { countIn, type EntryRange, endOfSpan, entriesIn, entryAt, toEntry } from '../activity-log/read-entries.js';
import type { Execute, Turn } from '../database/execute.js';

/** A number of entries that follow a position: how many, and the last of them; null where it is the range's. */
export interface Span {
  count: number;
  end: Position | null;
}

/**
 * The table of the log as users have it read: on connections for long reads, in turn with what others ask, and until
 * whoever waits has gone. The gateway's own connections are for the one reader of the process (`entry-source.ts`).
 * All of it rejects as reads of users do: TIMEOUT, LIMIT_EXCEEDED where too much waits, UNAVAILABLE once nobody does.
 */
export class EntryTable {
  /**
   * @param kysely makes the texts of statements
   * @param execute runs them, on the primary: a replica may not have yet what the feed has read
   */
  constructor(
    private readonly kysely: Kysely<unknown>,
    private readonly execute: Execute,
  ) {}

  /** Entries of a range, in commit order. */
  async read(range: EntryRange, turn: Turn): Promise<FeedEntry[]> {
    const rows = await this.rows(entriesIn(range), turn);
    return rows.map(toEntry).sort(comparePositions);
  }

  /** How far so many entries after a position reach, whether they pass a filter or not. */
  async span(range: Omit<EntryRange, 'filter'>, turn: Turn): Promise<Span> {
    const [last] = await this.rows(endOfSpan(range), turn);
    if (last) {
      const end = { xid: BigInt(last['xid'] as string), seq: BigInt(last['seq'] as string) };
      return { count: range.limit, end };
    }
    // Fewer are left.
    const [left] = await this.rows(countIn(range), turn);
    return { count: Number(left?.['count']), end: null };
  }

  /** Whether there is an entry at a position. */
  async has(position: Position, turn: Turn): Promise<boolean> {
    return (await this.rows(entryAt(position), turn)).length > 0;
  }

  /** The id of the customer with a tenant; null where there is none. */
  async customerOf(tenantId: string, turn: Turn): Promise<string | null> {
    const [row] = await this.rows(sql`select "id" from "customers" where "tenant_id" = ${tenantId}::uuid`, turn);
    return (row?.['id'] as string | undefined) ?? null;
  }

  private async rows(query: RawBuilder<unknown>, turn: Turn): Promise<Record<string, unknown>[]> {
    const asJson = sql`select coalesce(json_agg("one"), '[]')::text as "json" from (${query}) "one"`;
    const { sql: text, parameters } = asJson.compile(this.kysely);
    // Never prepared: what a filter finds decides how it is best read.
    const statement = { text, parameters, runs: 0, name: '' };
    return JSON.parse(await this.execute(statement, [...parameters], turn));
  }
}
