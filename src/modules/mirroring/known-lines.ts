import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';

/** A line of ours that is one of the upstream's. */
export interface KnownLine {
  orderLineId: string;
  orderId: string;
  upstreamOrderId: string;
  lineNumber: number;
  status: string;
  isMirrored: boolean;
  goneAt: string | null;
}

/** Names a line of the upstream's. */
export const placeOf = (line: { upstreamOrderId: string; lineNumber: number }) =>
  `${line.upstreamOrderId}/${line.lineNumber}`;

/** The lines of a customer that are lines of the upstream's, by their place there. */
export async function knownLines(em: Em, customerId: string): Promise<Map<string, KnownLine>> {
  const { rows } = await sql<KnownLine>`
    select "order_line_id" as "orderLineId", "orders"."id" as "orderId", "upstream_order_id" as "upstreamOrderId",
      "known"."line_number" as "lineNumber", "order_lines"."status", "is_mirrored" as "isMirrored", "gone_at" as "goneAt"
    from "upstream_lines" "known" join "order_lines" on "order_lines"."id" = "known"."order_line_id"
    join "orders" on "orders"."id" = "order_lines"."order_id"
    where "orders"."customer_id" = ${customerId}`.execute(em.getKysely());
  return new Map(rows.map((row) => [placeOf(row), row]));
}

/** What the gateway has bought for a customer upstream, or is just about to. */
export interface OwnPurchases {
  /** Lines of ours by their place there. */
  bought: Map<string, Omit<KnownLine, 'isMirrored' | 'goneAt'>>;
  /** Since when something is being bought whose orders are not known yet; null: nothing is. */
  openSince: Date | null;
}

/** What of the upstream's orders of a customer are the gateway's own purchases. */
export async function ownPurchases(em: Em, customerId: string): Promise<OwnPurchases> {
  const { rows } = await sql<Omit<KnownLine, 'isMirrored' | 'goneAt'>>`
    select "order_lines"."id" as "orderLineId", "orders"."id" as "orderId", "order_lines"."status",
      "line" -> 'order' ->> 'id' as "upstreamOrderId", ("line" -> 'order' ->> 'lineNumber')::int as "lineNumber"
    from "upstream_intents" "intent" join "orders" on "orders"."id" = "intent"."order_id"
    cross join lateral jsonb_array_elements("intent"."lines") as "line"
    join "order_lines" on "order_lines"."order_id" = "orders"."id"
      and "order_lines"."line_number" = ("line" ->> 'lineNumber')::int
    where "orders"."customer_id" = ${customerId} and "intent"."kind" = 'PURCHASE'
      and "line" -> 'order' is not null`.execute(em.getKysely());
  const { rows: open } = await sql<{ since: Date | null }>`
    select min("first_sent_at") as "since" from "upstream_intents" "intent"
    join "orders" on "orders"."id" = "intent"."order_id"
    where "orders"."customer_id" = ${customerId} and "intent"."kind" = 'PURCHASE'
      and "intent"."state" in ('SENT', 'UNKNOWN') and "orders"."status" = 'PENDING'`.execute(em.getKysely());
  const since = open[0]?.since ?? null;
  return { bought: new Map(rows.map((row) => [placeOf(row), row])), openSince: since && new Date(since) };
}
