import { sql } from 'kysely';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import type { ToldOrder } from '../../domain/upstream.js';
import { addOrders, type NewOrder, newOrderOf } from './add-orders.js';
import { keepCatalog } from './keep-catalog.js';
import { type KnownLine, knownLines, ownPurchases, placeOf } from './known-lines.js';
import { type Changes, type Holder, noChanges } from './mirror.js';

/** Clocks differ: an order may seem older than the call that made it. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** What the upstream told of a customer's orders. */
export interface ToldOrders {
  orders: readonly ToldOrder[];
  /** When it was asked. */
  readAt: Date;
  /** Whether these are all: then what is not among them is gone. How far the list is behind. */
  isAll: { behindMs: number } | null;
}

/** What came of keeping orders. */
export interface KeptOrders {
  changes: Changes;
  /** Lines that stand here and have no quantity there any more. */
  toCancel: KnownLine[];
  /** Lines by their ids. */
  linesOf(ids: readonly string[]): Promise<KnownLine[]>;
  /** Whether some were left for later: they may be what the gateway itself is just buying. */
  isWaiting: boolean;
}

/**
 * Keeps what the upstream told of a customer's orders: those that are not known become orders of ours, and what is
 * gone is marked. Lines that have no quantity any more are left to the caller. What the gateway itself is just buying is left until it
 * is known to be that. The customer is locked.
 */
export async function keepOrders(em: Em, holder: Holder, told: ToldOrders): Promise<KeptOrders> {
  const changes = noChanges();
  let isWaiting = false;
  const skus = await keepCatalog(em, told.orders);
  // Whatever happens to orders takes their locks first: nobody else changes them until the transaction ends.
  inLockOrder(em, 'ORDER');
  await sql`
    select from "orders" where "customer_id" = ${holder.customerId} and "id" in (
      select "order_lines"."order_id" from "upstream_lines" join "order_lines" on "order_lines"."id" = "order_line_id")
    order by "id" for update`.execute(em.getKysely());
  const known = await knownLines(em, holder.customerId);
  const own = await ownPurchases(em, holder.customerId);
  const fresh: NewOrder[] = [];
  const bought: (KnownLine & { order: ToldOrder })[] = [];
  const toCancel: KnownLine[] = [];
  for (const order of told.orders) {
    const lines = order.lines.map(({ lineNumber }) => placeOf({ upstreamOrderId: order.id, lineNumber }));
    if (!lines.some((place) => known.has(place) || own.bought.has(place))) {
      if (own.openSince && order.placedAt.getTime() >= own.openSince.getTime() - CLOCK_SKEW_MS) {
        isWaiting = true;
        continue;
      }
      const made = newOrderOf(order, holder, skus);
      if (typeof made !== 'string') fresh.push(made);
      else {
        changes.left += 1;
        changes.firstLeft ??= made;
      }
      continue;
    }
    for (const { lineNumber, quantity } of order.lines) {
      const place = placeOf({ upstreamOrderId: order.id, lineNumber });
      const mine = own.bought.get(place);
      const line = known.get(place) ?? (mine && { ...mine, isMirrored: false, goneAt: null });
      if (!line) continue;
      if (!known.has(place)) bought.push({ ...line, order });
      if (quantity === 0 && line.status === 'ACTIVE') toCancel.push(line);
    }
  }
  const added = await addOrders(em, fresh, told.readAt);
  changes.orders += added.orders;
  changes.lines += added.lines;
  await linkBought(em, bought, told.readAt);
  await noteSeen(em, told);
  if (told.isAll) changes.gone += await markGoneLines(em, holder, told, told.isAll.behindMs, known);
  const linesOf = async (ids: readonly string[]) => {
    const named = new Set(ids.filter((id) => !toCancel.some(({ orderLineId }) => orderLineId === id)));
    return [...(await knownLines(em, holder.customerId)).values()].filter(({ orderLineId }) => named.has(orderLineId));
  };
  return { changes, toCancel, linesOf, isWaiting };
}

/** Notes which lines of the upstream's those are that the gateway has bought. */
async function linkBought(em: Em, bought: readonly (KnownLine & { order: ToldOrder })[], readAt: Date): Promise<void> {
  if (bought.length === 0) return;
  const rows = bought.map(({ orderLineId, lineNumber, order }) => {
    const line = order.lines.find((one) => one.lineNumber === lineNumber);
    const { id, alternateId, state, placedAt } = order;
    const { subscriptionId = null, unitPrice = null } = line ?? {};
    return { orderLineId, id, alternateId, lineNumber, subscriptionId, state, placedAt, isPriced: unitPrice !== null };
  });
  await sql`
    insert into "upstream_lines" ("order_line_id", "upstream_order_id", "alternate_id", "line_number", "subscription_id",
      "state", "is_mirrored", "is_priced", "ordered_at", "seen_at")
    select "orderLineId", "id", "alternateId", "lineNumber", "subscriptionId", "state", false, "isPriced", "placedAt", ${readAt}
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as "line" ("orderLineId" uuid, "id" text, "alternateId" text,
      "lineNumber" int, "subscriptionId" uuid, "state" text, "isPriced" boolean, "placedAt" timestamptz)
    on conflict do nothing`.execute(em.getKysely());
}

/** Notes that lines were seen, and what the upstream says of them now. */
async function noteSeen(em: Em, { orders, readAt }: ToldOrders): Promise<void> {
  const rows = orders.flatMap(({ id, state, lines }) =>
    lines.map(({ lineNumber, subscriptionId }) => ({ id, lineNumber, state, subscriptionId })),
  );
  if (rows.length === 0) return;
  await sql`
    update "upstream_lines" "known" set "seen_at" = greatest("known"."seen_at", ${readAt}), "gone_at" = null,
      "state" = case when "known"."subscription_id" is null then "line"."state" else "known"."state" end,
      "subscription_id" = coalesce("line"."subscriptionId", "known"."subscription_id")
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as "line" ("id" text, "lineNumber" int, "state" text, "subscriptionId" uuid)
    where "known"."upstream_order_id" = "line"."id" and "known"."line_number" = "line"."lineNumber"`.execute(
    em.getKysely(),
  );
}

/** Marks what a customer's whole list has no more. What is too new to be in it is not. */
async function markGoneLines(
  em: Em,
  { customerId }: Holder,
  { orders, readAt }: ToldOrders,
  behindMs: number,
  known: ReadonlyMap<string, KnownLine>,
): Promise<number> {
  if (known.size === 0) return 0;
  const places = orders.flatMap(({ id, lines }) =>
    lines.map(({ lineNumber }) => placeOf({ upstreamOrderId: id, lineNumber })),
  );
  const { numAffectedRows } = await sql`
    update "upstream_lines" "known" set "gone_at" = ${readAt}
    from "order_lines" join "orders" on "orders"."id" = "order_lines"."order_id"
    where "order_lines"."id" = "known"."order_line_id" and "orders"."customer_id" = ${customerId} and "known"."gone_at" is null
      and "known"."ordered_at" < ${new Date(readAt.getTime() - behindMs - CLOCK_SKEW_MS)}
      and "known"."upstream_order_id" || '/' || "known"."line_number" <> all(${places}::text[])`.execute(
    em.getKysely(),
  );
  return Number(numAffectedRows ?? 0n);
}
