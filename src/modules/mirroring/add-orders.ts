import { createHash, randomUUID } from 'node:crypto';
import { Decimal } from 'decimal.js';
import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import { minorUnitDigits } from '../../domain/currencies.js';
import { newId } from '../../domain/ids.js';
import type { ToldOrder, ToldOrderLine } from '../../domain/upstream.js';
import { endOf, termOf } from '../orders/term.js';
import { completeOrders, SOMEBODY } from './complete-orders.js';
import { type KnownSku, nameOf, planOf } from './keep-catalog.js';
import type { Holder } from './mirror.js';

/** An order of the upstream that is to become one of ours. */
export interface NewOrder {
  order: Record<string, unknown>;
  lines: Record<string, unknown>[];
}

const FRIENDLY_NUMBER = /^[0-9a-f]{12}$/;
/** States of an order of which nothing has come. */
const REFUSED = ['error', 'porejected', 'poreviewrejected'];
const TERM = /^P[1-9]\d*[MY]$/;

/** An order and its lines as rows; why it cannot be one, where it cannot. */
export function newOrderOf(
  told: ToldOrder,
  { customerId, market }: Holder,
  skus: ReadonlyMap<string, KnownSku>,
): NewOrder | string {
  const { id: upstreamOrderId, alternateId, placedAt, currency } = told;
  if (!currency) return `Order ${upstreamOrderId} names no currency.`;
  const known = told.lines.flatMap((line) => {
    const sku = line.product && skus.get(nameOf(line.product));
    return sku ? [{ line, sku }] : [];
  });
  if (known.length === 0) return `Order ${upstreamOrderId} has no line of a SKU.`;
  const id = newId();
  const lines = known.map(({ line, sku }) => rowOf({ ...told, currency }, line, sku, id));
  const statuses = new Set(lines.map(({ status }) => status));
  const isRefused = statuses.size === 1 && statuses.has('REFUSED');
  const status = isRefused ? 'REFUSED' : statuses.size === 1 && statuses.has('CANCELLED') ? 'CANCELLED' : 'COMPLETED';
  const total = inCurrency(
    lines.reduce((sum, line) => sum.plus(line.total), new Decimal(0)),
    currency,
  );
  const digest = createHash('sha256').update(upstreamOrderId).digest('hex').slice(0, 12);
  const number = alternateId && FRIENDLY_NUMBER.test(alternateId) ? alternateId : digest;
  const reason = isRefused ? `Partner Center says: ${told.state}` : null;
  const whose = { customerId, market, correlationId: randomUUID() };
  return { order: { id, number, digest, ...whose, status, currency, total, placedAt, upstreamOrderId, reason }, lines };
}

/** An amount with at least the digits of the minor unit, and none cut off. */
const inCurrency = (amount: Decimal, currency: string) =>
  amount.toFixed(Math.max(minorUnitDigits(currency), amount.decimalPlaces()));

function rowOf(told: ToldOrder & { currency: string }, line: ToldOrderLine, sku: KnownSku, orderId: string) {
  const { placedAt, state, alternateId, currency } = told;
  const status = line.quantity === 0 ? 'CANCELLED' : REFUSED.includes(state) ? 'REFUSED' : 'ACTIVE';
  const duration = line.termDuration && TERM.test(line.termDuration) ? line.termDuration : sku.termDuration;
  const term = sku.termDuration && duration ? termOf(placedAt, duration) : null;
  const quantity = Math.max(line.quantity, 1);
  // What is seen for the first time once it is cancelled says no price any more.
  const isPriced = line.unitPrice !== null && line.quantity > 0;
  const unitPrice = isPriced ? new Decimal(line.unitPrice as string) : new Decimal(0);
  return {
    id: newId(),
    entitlementId: newId(),
    orderId,
    skuId: sku.id,
    lineNumber: line.lineNumber,
    quantity,
    unitPrice: inCurrency(unitPrice, currency),
    total: inCurrency(unitPrice.times(quantity), currency),
    status,
    termStart: term?.start ?? null,
    termEnd: term?.end ?? null,
    expiresAt: term ? endOf(term) : null,
    plan: planOf(told),
    upstreamOrderId: told.id,
    alternateId,
    subscriptionId: line.subscriptionId,
    state,
    isPriced,
    placedAt,
  };
}

/**
 * Writes orders with their lines, licences and places upstream. Who bought, and how much of what is cancelled already, only
 * records say (`complete-orders.ts`). Nothing is charged: what they cost is on Microsoft's invoices.
 */
export async function addOrders(
  em: Em,
  fresh: readonly NewOrder[],
  readAt: Date,
): Promise<{ orders: number; lines: number }> {
  if (fresh.length === 0) return { orders: 0, lines: 0 };
  const kysely = em.getKysely();
  const orders = JSON.stringify(fresh.map(({ order }) => order));
  const lines = fresh.flatMap((one) => one.lines);
  await sql`
    insert into "orders" ("id", "number", "customer_id", "market_code", "status", "currency", "total", "tax_included",
      "placed_at", "placed_by", "correlation_id", "refusal_reason")
    select "told"."id", case when exists (select from "orders" where "orders"."number" = "told"."number") then "digest" else "told"."number" end,
      "customerId", "market", "told"."status", "told"."currency", "told"."total", false, "placedAt",
      ${SOMEBODY}, "correlationId", "reason"
    from json_to_recordset(${orders}::text::json) as "told" ("id" uuid, "number" text, "digest" text, "customerId" uuid,
      "market" text, "status" text, "currency" text, "total" numeric, "placedAt" timestamptz, "correlationId" uuid,
      "upstreamOrderId" text, "reason" text)`.execute(kysely);
  const rows = JSON.stringify(lines);
  const told = sql`json_to_recordset(${rows}::text::json) as "told" ("id" uuid, "entitlementId" uuid, "orderId" uuid,
    "skuId" uuid, "lineNumber" int, "quantity" int, "unitPrice" numeric, "total" numeric, "status" text, "termStart" date,
    "termEnd" date, "expiresAt" timestamptz, "plan" text, "upstreamOrderId" text, "alternateId" text, "subscriptionId" uuid,
    "state" text, "isPriced" boolean, "placedAt" timestamptz)`;
  await sql`
    insert into "order_lines" ("id", "order_id", "line_number", "sku_id", "quantity", "unit_price", "total", "status",
      "support_request_required", "term_start", "term_end", "billing_plan")
    select "id", "orderId", "lineNumber", "skuId", "quantity", "unitPrice", "total", "status", true, "termStart", "termEnd", "plan"
    from ${told}`.execute(kysely);
  await sql`
    insert into "entitlements" ("id", "order_line_id", "customer_id", "sku_id", "quantity", "status", "granted_at",
      "expires_at", "revoked_at")
    select "entitlementId", "told"."id", "orders"."customer_id", "skuId", "told"."quantity",
      case "told"."status" when 'ACTIVE' then case when "told"."state" in ('pending', 'pendingreview') then 'PENDING' else 'ACTIVE' end else 'REVOKED' end,
      "placedAt", "expiresAt", case when "told"."status" <> 'ACTIVE' then ${readAt}::timestamptz end
    from ${told} join "orders" on "orders"."id" = "orderId"`.execute(kysely);
  await sql`
    insert into "upstream_lines" ("order_line_id", "upstream_order_id", "alternate_id", "line_number", "subscription_id",
      "state", "is_mirrored", "is_priced", "ordered_at", "seen_at")
    select "id", "upstreamOrderId", "alternateId", "lineNumber", "subscriptionId", "state", true, "isPriced", "placedAt", ${readAt}
    from ${told}`.execute(kysely);
  await completeOrders(
    em,
    lines.flatMap(({ upstreamOrderId, alternateId }) => [upstreamOrderId, alternateId] as (string | null)[]),
  );
  return { orders: fresh.length, lines: lines.length };
}
