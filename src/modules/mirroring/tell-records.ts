import { sql } from 'kysely';
import type { ActivityAction } from '../../activity-log/activity-action.js';
import { type Activity, recordActivity } from '../../activity-log/record-activity.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId } from '../../domain/ids.js';
import type { ToldRecord, Upstream } from '../../domain/upstream.js';
import { upstreamActor } from './cancel-lines.js';
import { completeOrders } from './complete-orders.js';
import { readSoon } from './keep-customers.js';
import { operationOf, ownRecords } from './own-records.js';

/** Actions of the log by what was done upstream; everything else is a change, by the upstream's own word. */
const actions: Record<string, UpstreamAction> = {
  createorder: 'UPSTREAM_ORDER_PLACED',
  updateorder: 'UPSTREAM_ORDER_CHANGED',
  getsoftwarekey: 'UPSTREAM_KEY_FETCHED',
  getsoftwaredownloadlink: 'UPSTREAM_LINK_FETCHED',
  createcredit: 'UPSTREAM_CREDIT_CHANGED',
  updatecredit: 'UPSTREAM_CREDIT_CHANGED',
  cancelcredit: 'UPSTREAM_CREDIT_CHANGED',
  readyinvoice: 'UPSTREAM_INVOICE_READY',
};
/** What entries of what was done upstream are about. */
type UpstreamAction = Extract<
  ActivityAction,
  | 'UPSTREAM_ORDER_PLACED'
  | 'UPSTREAM_ORDER_CHANGED'
  | 'UPSTREAM_ORDER_CANCELLED'
  | 'UPSTREAM_KEY_FETCHED'
  | 'UPSTREAM_LINK_FETCHED'
  | 'UPSTREAM_CREDIT_CHANGED'
  | 'UPSTREAM_INVOICE_READY'
  | 'UPSTREAM_CHANGED'
>;

/** The action of a record. There is no operation for a cancellation: an order is changed so that lines have no quantity. */
function actionOf(record: ToldRecord): UpstreamAction {
  const action = actions[operationOf(record)] ?? 'UPSTREAM_CHANGED';
  return action === 'UPSTREAM_ORDER_CHANGED' && record.quantities.includes(0) ? 'UPSTREAM_ORDER_CANCELLED' : action;
}

/** Ids of records that are not known yet. */
export async function unknownRecords(em: Em, records: readonly ToldRecord[]): Promise<ToldRecord[]> {
  const { rows } = await sql<{ id: string }>`
    select "id" from "upstream_records" where "id" = any(${records.map(({ id }) => id)}::text[])`.execute(
    em.getKysely(),
  );
  const known = new Set(rows.map(({ id }) => id));
  const unique = new Map(records.map((record) => [record.id, record]));
  return (
    [...unique.values()]
      .filter(({ id }) => !known.has(id))
      // The upstream's own order says which was first of what was done at the same instant.
      .sort((one, other) => Number(one.happenedAt) - Number(other.happenedAt))
  );
}

/**
 * Tells what was done upstream, each record once, in the order in which it was done as far as it is known by now. What the
 * gateway itself did is known and not told again. In one transaction: what is told is known, and the other way round.
 * Answers how many were told.
 */
export async function tellRecords(
  em: Em,
  { kind, listsBehindMs }: Pick<Upstream, 'kind' | 'listsBehindMs'>,
  records: readonly ToldRecord[],
): Promise<number> {
  if (records.length === 0) return 0;
  const own = await ownRecords(em, records);
  const rows = records.map((record) => ({ ...record, entryId: own.has(record.id) ? null : newId() }));
  const { rows: kept } = await sql<{ id: string }>`
    insert into "upstream_records" ("id", "happened_at", "upstream_order_id", "operation", "actor", "quantities", "entry_id")
    select "id", "happenedAt", "orderId", "operation", "actor", "quantities", "entryId"
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as "told" ("id" text, "happenedAt" timestamptz, "orderId" text,
      "operation" text, "actor" text, "quantities" jsonb, "entryId" uuid)
    on conflict ("id") do nothing returning "id"`.execute(em.getKysely());
  // Another process may have told some of them since they were looked up.
  const isKept = new Set(kept.map(({ id }) => id));
  const fresh = rows.filter(({ id }) => isKept.has(id));
  await completeOrders(
    em,
    fresh.map(({ orderId }) => orderId),
  );
  const things = await thingsOf(em, fresh);
  let told = 0;
  for (const [place, record] of fresh.entries()) {
    if (!record.entryId) continue;
    told += 1;
    const { customerId, orderId, number, productIds } = things[place] as Thing;
    const isFailed = ['failed', 'decline', 'declined'].includes(record.status.toLowerCase());
    recordActivity(em, {
      id: record.entryId,
      action: actionOf(record),
      outcome: isFailed ? 'FAILED' : 'SUCCEEDED',
      actor: record.actor ? { ...upstreamActor, userPrincipalName: record.actor } : upstreamActor,
      customerId,
      orderId,
      productIds: productIds ?? [],
      resource: orderId
        ? { type: 'ORDER', id: toGlobalId('Order', orderId), label: number ?? record.orderId ?? '' }
        : { type: 'UPSTREAM', id: record.id, label: record.orderId ?? record.resource },
      correlationId: record.correlationId ?? record.entryId,
      detail: {
        source: kind,
        recordId: record.id,
        operation: record.operation,
        resourceKind: record.resource,
        recordStatus: record.status,
        happenedAt: record.happenedAt.toISOString(),
        upstreamOrderId: record.orderId,
      },
    } as Activity);
  }
  const named = fresh.flatMap(({ tenantId, happenedAt }) => (tenantId ? [{ tenantId, happenedAt }] : []));
  await readSoon(em, named, listsBehindMs);
  return told;
}

/** What records are about, as far as it is here. */
interface Thing {
  customerId: string | null;
  orderId: string | null;
  number: string | null;
  productIds: string[] | null;
}

async function thingsOf(em: Em, records: readonly ToldRecord[]): Promise<Thing[]> {
  const { rows } = await sql<Thing>`
    select "customers"."id" as "customerId", "orders"."id" as "orderId", "orders"."number",
      (select to_json(array_agg(distinct "products"."product_id")) from "order_lines" join "skus" on "skus"."id" = "order_lines"."sku_id"
        join "products" on "products"."id" = "skus"."product_id" where "order_lines"."order_id" = "orders"."id") as "productIds"
    from json_to_recordset(${JSON.stringify(records.map(({ tenantId, orderId }, place) => ({ tenantId, orderId, place })))}::text::json)
      as "told" ("tenantId" uuid, "orderId" text, "place" int)
    left join "customers" on "customers"."tenant_id" = "told"."tenantId"
    left join lateral (
      select "orders"."id", "orders"."number" from "upstream_lines" join "order_lines" on "order_lines"."id" = "order_line_id"
      join "orders" on "orders"."id" = "order_lines"."order_id"
      where ("upstream_order_id" = "told"."orderId" or "alternate_id" = lower("told"."orderId"))
        and "orders"."customer_id" = "customers"."id" limit 1
    ) "orders" on true
    order by "place"`.execute(em.getKysely());
  return rows;
}
