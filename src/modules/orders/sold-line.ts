import type { Em } from '../../database/orm.js';
import { write } from '../../database/writes.js';
import type { BillingPlan } from '../../domain/product-kind.js';
import type { SoldRefundOption } from '../../domain/refund-option.js';
import { type OrderLineStatus, orderLineMoves } from './order-status.js';

/** What is told of the SKU of a line. */
export interface SoldSku {
  title: string;
  /** Id of the product's row. */
  productRow: string;
  /** Twelve characters. */
  productId: string;
  /** Four characters. */
  skuId: string;
}

/** A line of an order with what it costs; amounts are decimal text in the currency of the order. */
export interface ChargedLine {
  id: string;
  quantity: number;
  unitPrice: string;
  total: string;
  /** First and last day of the paid term; null for perpetual software. */
  termStart: string | null;
  termEnd: string | null;
  sku: SoldSku;
}

/** A line of an order as use cases judge it. */
export interface SoldLine extends ChargedLine {
  lineNumber: number;
  /** Its own, or the SKU's where it is from before lines had one. */
  billingPlan: BillingPlan;
  status: OrderLineStatus;
  refundOptions: SoldRefundOption[];
  cancellableUntil: Date | null;
  supportRequestRequired: boolean;
}

/** The catalog's ids of what lines are of, each once. */
export const productIdsOf = (lines: readonly { sku: SoldSku }[]) => [...new Set(lines.map(({ sku }) => sku.productId))];

/** A line as `SOLD_LINE` reads it. */
export type SoldLineRow = Omit<SoldLine, 'cancellableUntil'> & { cancellableUntil: number | null };

/** A line out of its row. */
export const soldLineOf = ({ cancellableUntil, ...line }: SoldLineRow): SoldLine => ({
  ...line,
  cancellableUntil: cancellableUntil === null ? null : new Date(cancellableUntil),
});

/** Columns of a `SoldLineRow` out of a line `l`, its SKU `s` and its product `p`. */
export const SOLD_LINE = `l.id, l.line_number as "lineNumber", l.quantity, l.unit_price::text as "unitPrice",
  l.total::text as "total", l.status, l.refund_options as "refundOptions",
  (extract(epoch from l.cancellable_until) * 1000)::float8 as "cancellableUntil",
  l.support_request_required as "supportRequestRequired", l.term_start as "termStart", l.term_end as "termEnd",
  coalesce(l.billing_plan, s.billing_plan) as "billingPlan",
  jsonb_build_object('title', s.title, 'productRow', p.id, 'productId', p.product_id, 'skuId', s.sku_id) as "sku"`;

/** Moves lines at the end of the transaction. @throws Error where one may not go there */
export function moveLines(em: Em, lines: readonly SoldLine[], to: OrderLineStatus): void {
  for (const { id, status } of lines)
    if (!orderLineMoves[status].includes(to)) throw new Error(`line ${id} may not go from ${status} to ${to}`);
  write(em, `update order_lines set status = $1 where id = any($2::uuid[])`, [to, lines.map(({ id }) => id)]);
}
