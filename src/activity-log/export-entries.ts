import { type Kysely, sql } from 'kysely';
import { toGlobalId } from '../domain/global-id.js';
import { type EntryFilter, matching, shownTo } from './entry-filter.js';
import type { Position } from './position.js';
import { belowHorizon, hidden } from './read-entries.js';

/** One entry of the log as exports show it: every column, flat. */
export interface ExportedEntry {
  /** Where it lies in commit order: `xid.seq`. */
  position: string;
  id: string;
  /** ISO 8601 in UTC, to the millisecond. */
  at: string;
  action: string;
  outcome: string;
  actor: string;
  actorRole: string;
  application: string | null;
  /** Identity of the actor; null in entries from before identities were kept. */
  actorIssuer: string | null;
  actorTenantId: string | null;
  actorObjectId: string | null;
  customerId: string | null;
  orderId: string | null;
  productIds: string[];
  resourceType: string;
  resourceId: string;
  resourceLabel: string;
  correlationId: string;
  /** JSON, as PostgreSQL writes it. */
  detail: string;
  /** Name of the customer: not of the entry, and not sealed. */
  customer: string | null;
}

/** Which entries: those after `after` up to and with `until` that pass `filter`. */
export interface ExportRange {
  filter: EntryFilter;
  /** Null: from the very first one. */
  after: Position | null;
  until: Position;
}

/** Entries of a statement: as many as PostgreSQL reads in a few milliseconds, since others wait for their turn meanwhile. */
export const EXPORT_BATCH_SIZE = 250;

/** The next entries in commit order; without `until` those that no open transaction can come before. */
export async function readExported(
  kysely: Kysely<unknown>,
  { filter, after, until }: Omit<ExportRange, 'until'> & { until: Position | null },
  limit: number,
): Promise<ExportedEntry[]> {
  const bounds = [
    ...(after ? [sql`("xid", "seq") > ${hidden(after)}`] : []),
    until ? sql`("xid", "seq") <= ${hidden(until)}` : belowHorizon,
  ];
  const shown = (property: Parameters<typeof shownTo>[1]) => shownTo(filter.own, property, 'e');
  const { rows } = await sql<
    Record<string, string | null>
  >`select "xid"::text || '.' || "seq"::text as "position", "id",
      to_char("at" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "at", "e"."action", "outcome", ${shown('actor')} as "actor",
      "actor_role" as "actorRole", ${shown('application')} as "application", ${shown('actorIssuer')} as "actorIssuer",
      ${shown('actorTenantId')} as "actorTenantId", ${shown('actorObjectId')} as "actorObjectId",
      "customer_id" as "customerId", "order_id" as "orderId",
      to_json("product_ids")::text as "productIds", "resource_type" as "resourceType", "resource_id" as "resourceId",
      "resource_label" as "resourceLabel", ${shown('correlationId')} as "correlationId", "detail"::text as "detailText",
      (select "company_name" from "customers" where "customers"."id" = "e"."customer_id") as "customer"
    from ${matching(filter, bounds, limit)} "e" order by "e"."xid", "e"."seq" limit ${limit}::int`.execute(kysely);
  return rows.map(({ id, customerId, orderId, productIds, detailText, ...row }) => ({
    ...(row as unknown as ExportedEntry),
    id: toGlobalId('ActivityEntry', id as string),
    customerId: customerId ? toGlobalId('Customer', customerId) : null,
    orderId: orderId ? toGlobalId('Order', orderId) : null,
    productIds: JSON.parse(productIds as string),
    detail: detailText as string,
  }));
}

/** The position that an entry names. */
export function positionOf({ position }: Pick<ExportedEntry, 'position'>): Position {
  const [xid = '', seq = ''] = position.split('.');
  return { xid: BigInt(xid), seq: BigInt(seq) };
}

/**
 * The entries of a range in commit order, a batch at a time, read when the one before has been taken: memory stays flat
 * however many there are and however slowly they are taken.
 *
 * The cursor is a keyset kept on the server's side of the wire, not one DECLAREd in PostgreSQL. The log is append-only
 * and complete below `until`, so that statements of their own read exactly what one snapshot would. A DECLAREd cursor
 * lives in a transaction: for as long as a client takes its time that would hold one of the few connections of the pool
 * (embedded, the only one there is), keep VACUUM from cleaning anything in the cluster, and be ended by
 * `idle_in_transaction_session_timeout` when the client pauses. Between batches this holds nothing.
 * @param inTurn does the reading of a batch when its turn comes
 */
export async function* exportActivity(
  kysely: Kysely<unknown>,
  range: ExportRange,
  inTurn: <Result>(read: () => Promise<Result>) => Promise<Result>,
): AsyncGenerator<ExportedEntry[]> {
  let { after } = range;
  for (;;) {
    const batch = { ...range, after };
    const entries = await inTurn(() => readExported(kysely, batch, EXPORT_BATCH_SIZE));
    if (entries.length > 0) yield entries;
    if (entries.length < EXPORT_BATCH_SIZE) return;
    after = positionOf(entries.at(-1) as ExportedEntry);
  }
}
