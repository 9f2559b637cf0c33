import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { prepared } from '../database/prepared.js';
import type { ActivityAction } from './activity-action.js';
import type { FeedEntry } from './entry.js';
import { type EntryFilter, matching } from './entry-filter.js';
import { comparePositions, type Position } from './position.js';

/**
 * No transaction that could still commit an entry before one of these is open. Asked once for a statement: in a
 * subquery PostgreSQL does not ask again for each row.
 */
export const belowHorizon = sql<SqlBool>`"xid" < (select feed_horizon())`;

/** Which entries are read: those after a position that pass, at most so many. */
export interface EntryRange {
  after: Position;
  /** The last one that may be among them; without it, up to the horizon. */
  until?: Position | undefined;
  filter?: EntryFilter;
  limit: number;
}

/**
 * Entries after a position, in commit order, below the snapshot horizon: no open transaction can still commit a row
 * before the last one returned. `until` (inclusive) bounds a replay.
 */
export async function readEntries(kysely: Kysely<unknown>, range: EntryRange): Promise<FeedEntry[]> {
  const statement = entriesIn(range).compile(kysely);
  // What a filter finds decides how it is best read: then it is planned each time.
  if (!range.filter) prepared('entries', statement.sql);
  const { rows } = await kysely.executeQuery(statement);
  return rows.map(toEntry);
}

/** The statement that reads them; `toEntry` makes entries of its rows. */
export function entriesIn({ after, until, filter = {}, limit }: EntryRange): RawBuilder<Record<string, unknown>> {
  // Ordered by the columns of the table: a bare "xid" would be the text of the select list, where 10 comes before 9.
  return sql<
    Record<string, unknown>
  >`select "xid"::text as "xid", "seq"::text as "seq", "id", "e"."action", "actor", "actor_role",
      "actor_tenant_id", "actor_object_id", "customer_id",
      "order_id", to_json("product_ids") as "product_ids", "detail" ->> 'cancellationId' as "cancellation_id", (extract(epoch from "at") * 1000)::bigint::text as "at"
    from ${matching(filter, boundsOf(after, until), limit)} "e" order by "e"."xid", "e"."seq" limit ${limit}::int`;
}

/** The statement that tells which entry ends so many after a position, whether they pass or not: no row where fewer follow. */
export function endOfSpan({ after, until, limit }: Omit<EntryRange, 'filter'>): RawBuilder<unknown> {
  return sql`select "xid"::text as "xid", "seq"::text as "seq" from "activity_entries"
    where ${sql.join(boundsOf(after, until), sql` and `)}
    order by "activity_entries"."xid", "activity_entries"."seq" offset ${limit - 1}::int limit 1`;
}

/** The statement that counts the entries after a position. */
export function countIn({ after, until }: Omit<EntryRange, 'filter' | 'limit'>): RawBuilder<unknown> {
  return sql`select count(*)::int as "count" from "activity_entries"
    where ${sql.join(boundsOf(after, until), sql` and `)}`;
}

function boundsOf(after: Position, until: Position | undefined): RawBuilder<unknown>[] {
  return [
    sql`("xid", "seq") > ${hidden(after)}`,
    belowHorizon,
    ...(until ? [sql`("xid", "seq") <= ${hidden(until)}`] : []),
  ];
}

/**
 * A position as SQL that PostgreSQL plans without: by its transaction alone it judges how many entries lie beyond, and where one
 * has written most of the log it would go through all of it, and not take a filter's index.
 */
export const hidden = ({ xid, seq }: Position) => sql`((select ${String(xid)}::xid8), (select ${String(seq)}::bigint))`;

/** The entry of a row that `entriesIn` answers. */
export function toEntry(row: Record<string, unknown>): FeedEntry {
  return {
    xid: BigInt(row['xid'] as string),
    seq: BigInt(row['seq'] as string),
    id: row['id'] as string,
    at: Number(row['at']),
    action: row['action'] as ActivityAction,
    actor: row['actor'] as string,
    actorRole: row['actor_role'] as string,
    actorTenantId: row['actor_tenant_id'] as string | null,
    actorObjectId: row['actor_object_id'] as string | null,
    customerId: row['customer_id'] as string | null,
    orderId: row['order_id'] as string | null,
    productIds: (typeof row['product_ids'] === 'string'
      ? JSON.parse(row['product_ids'])
      : row['product_ids']) as string[],
    cancellationId: row['cancellation_id'] as string | null,
  };
}

/** The last entry that readers may see, or null where there is none. */
export async function lastPosition(kysely: Kysely<unknown>): Promise<Position | null> {
  const { rows } = await sql<{
    xid: string;
    seq: string;
  }>`select "xid"::text as "xid", "seq"::text as "seq" from "activity_entries"
    where ${belowHorizon} order by "activity_entries"."xid" desc, "activity_entries"."seq" desc limit 1`.execute(
    kysely,
  );
  const row = rows[0];
  return row ? { xid: BigInt(row.xid), seq: BigInt(row.seq) } : null;
}

/** The statement that answers a row where there is an entry at a position that readers may see. */
export function entryAt({ xid, seq }: Position): RawBuilder<unknown> {
  return sql`select true as "isThere" from "activity_entries"
    where "xid" = ${String(xid)}::xid8 and "seq" = ${String(seq)}::bigint and ${belowHorizon}`;
}

/** Entries of a sorted list that come after a position. */
export function entriesAfter(entries: readonly FeedEntry[], position: Position): readonly FeedEntry[] {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePositions(entries[middle] as FeedEntry, position) <= 0) low = middle + 1;
    else high = middle;
  }
  return entries.slice(low);
}
