import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { ActivityAction } from '../modules/activity/activity-action.js';
import { comparePositions, type Position } from './position.js';

/** What the feed holds of an entry: enough to filter it and to find the rest. */
export interface FeedEntry extends Position {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  action: ActivityAction;
  actor: string;
  customerId: string | null;
  orderId: string | null;
  productIds: readonly string[];
  /** Of ACCESS_REVOKED the user's name, else an id of the resource. */
  resourceId: string;
  /** Of the CANCELLATION_ actions. */
  cancellationId: string | null;
}

/** Which entries a subscriber wants. Ids are the rows', not the graph's. */
export interface FeedFilter {
  from?: Date | null;
  to?: Date | null;
  actions?: readonly ActivityAction[] | null;
  actor?: string | null;
  customerId?: string | null;
  orderId?: string | null;
  productId?: string | null;
  /** Rows of this tenant's customer only: what a CUSTOMER_ADMIN may reach. Null: nothing at all. */
  ownCustomerId?: string | null;
}

/** Whether an entry passes: the same rule as `conditionsOf`, for entries in memory. */
export function passes(entry: FeedEntry, filter: FeedFilter): boolean {
  if (
    filter.ownCustomerId !== undefined &&
    (filter.ownCustomerId === null || entry.customerId !== filter.ownCustomerId)
  )
    return false;
  if (filter.from && entry.at < filter.from.getTime()) return false;
  if (filter.to && entry.at >= filter.to.getTime()) return false;
  if (filter.actions && !filter.actions.includes(entry.action)) return false;
  if (filter.actor != null && entry.actor !== filter.actor.toLowerCase()) return false;
  if (filter.customerId != null && entry.customerId !== filter.customerId) return false;
  if (filter.orderId != null && entry.orderId !== filter.orderId) return false;
  if (filter.productId != null && !entry.productIds.includes(filter.productId.toUpperCase())) return false;
  return true;
}

/** The same rule as `passes`, for entries in the table. */
export function conditionsOf(filter: FeedFilter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (filter.ownCustomerId !== undefined) conditions.push(sql`"customer_id" = ${filter.ownCustomerId}::uuid`);
  if (filter.from) conditions.push(sql`"at" >= ${filter.from.toISOString()}::timestamptz`);
  if (filter.to) conditions.push(sql`"at" < ${filter.to.toISOString()}::timestamptz`);
  if (filter.actions) conditions.push(sql`"action" = any(${sql.val(filter.actions)}::text[])`);
  if (filter.actor != null) conditions.push(sql`"actor" = ${filter.actor.toLowerCase()}`);
  if (filter.customerId != null) conditions.push(sql`"customer_id" = ${filter.customerId}::uuid`);
  if (filter.orderId != null) conditions.push(sql`"order_id" = ${filter.orderId}::uuid`);
  if (filter.productId != null) conditions.push(sql`"product_ids" @> array[upper(${filter.productId}::text)]`);
  return conditions;
}

/**
 * Entries after a position, in commit order, below the snapshot horizon: no open transaction can still commit a row
 * before the last one returned. `until` (inclusive) bounds a replay.
 */
export async function readEntries(
  kysely: Kysely<unknown>,
  after: Position,
  filter: FeedFilter,
  limit: number,
  until?: Position,
): Promise<FeedEntry[]> {
  const bounds = [
    sql`("xid", "seq") > (${String(after.xid)}::xid8, ${String(after.seq)}::bigint)`,
    sql`"xid" < pg_snapshot_xmin(pg_current_snapshot())`,
    ...(until ? [sql`("xid", "seq") <= (${String(until.xid)}::xid8, ${String(until.seq)}::bigint)`] : []),
    ...conditionsOf(filter),
  ];
  // Ordered by the columns of the table: a bare "xid" would be the text of the select list, where 10 comes before 9.
  const { rows } = await sql<
    Record<string, unknown>
  >`select "xid"::text as "xid", "seq"::text as "seq", "id", "action", "actor", "customer_id",
      "order_id", to_json("product_ids") as "product_ids", "resource_id", "detail" ->> 'cancellationId' as "cancellation_id", (extract(epoch from "at") * 1000)::bigint::text as "at"
    from "activity_entries" where ${sql.join(bounds, sql` and `)} order by "activity_entries"."xid", "activity_entries"."seq" limit ${limit}::int`.execute(
    kysely,
  );
  return rows.map((row) => ({
    xid: BigInt(row['xid'] as string),
    seq: BigInt(row['seq'] as string),
    id: row['id'] as string,
    at: Number(row['at']),
    action: row['action'] as ActivityAction,
    actor: row['actor'] as string,
    customerId: row['customer_id'] as string | null,
    orderId: row['order_id'] as string | null,
    productIds: (typeof row['product_ids'] === 'string'
      ? JSON.parse(row['product_ids'])
      : row['product_ids']) as string[],
    resourceId: row['resource_id'] as string,
    cancellationId: row['cancellation_id'] as string | null,
  }));
}

/** The last entry that readers may see, or null where there is none. */
export async function lastPosition(kysely: Kysely<unknown>): Promise<Position | null> {
  const { rows } = await sql<{
    xid: string;
    seq: string;
  }>`select "xid"::text as "xid", "seq"::text as "seq" from "activity_entries"
    where "xid" < pg_snapshot_xmin(pg_current_snapshot()) order by "activity_entries"."xid" desc, "activity_entries"."seq" desc limit 1`.execute(
    kysely,
  );
  const row = rows[0];
  return row ? { xid: BigInt(row.xid), seq: BigInt(row.seq) } : null;
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
