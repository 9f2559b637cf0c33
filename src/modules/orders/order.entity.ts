import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { BillingPlan, RefundType } from '../../domain/product-kind.js';
import type { SoldRefundOption } from '../../domain/refund-option.js';
import { Sku } from '../catalog/catalog.entity.js';
import { Market } from '../catalog/market.entity.js';
import { Customer } from '../customers/customer.entity.js';
import { CancellationStatus, OrderLineStatus, OrderStatus } from './order-status.js';

/** A purchase on behalf of a customer. */
export const Order = defineEntity({
  name: 'Order',
  tableName: 'orders',
  properties: {
    id: p.uuid().primary(),
    /** The friendly number: 12 hexadecimal digits. */
    number: p.text().unique('orders_number_key').check("number ~ '^[0-9a-f]{12}$'"),
    customer: p.manyToOne(Customer),
    market: p.manyToOne(Market),
    status: p.enum(Object.values(OrderStatus)),
    currency: p.string().columnType('char(3)'),
    total: p.decimal('string').columnType('numeric').check('total >= 0'),
    taxIncluded: p.boolean(),
    placedAt: p.datetime(3),
    /** User principal name of who bought. */
    placedBy: p.text(),
    /** In which role; null in orders from before it was kept. */
    placedByRole: p.text().nullable(),
    /** Key of the identity (`auth/identity.ts`); null in orders from before it was kept. */
    placedByIdentity: p.text().nullable(),
    /** Why the provider refused it, in words for those who asked. */
    refusalReason: p.text().nullable(),
    correlationId: p.uuid(),
    /** The reconciliation (`modules/reconciling/`) whose file it was created out of; null where it came in another way. */
    importedFrom: p.uuid().nullable(),
  },
  indexes: [
    { name: 'orders_customer_recent_idx', properties: ['customer', 'placedAt', 'id'] },
    { name: 'orders_recent_idx', properties: ['placedAt', 'id'] },
    { name: 'orders_status_recent_idx', properties: ['status', 'placedAt', 'id'] },
    { name: 'orders_placed_by_recent_idx', properties: ['placedBy', 'placedAt', 'id'] },
  ],
  checks: [{ name: 'orders_refused', expression: "(status = 'REFUSED') = (refusal_reason is not null)" }],
});
export type Order = InferEntity<typeof Order>;

/** Notes what a line adds to the sales of the day of its order. */
const SOLD = `insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 1, new.quantity, new.total, 0 * new.total from orders o, skus s where o.id = new.order_id and s.id = new.sku_id`;

/** One SKU of an order. Its price and all that a cancellation is judged by are frozen at the time of sale (rules 3 and 13). */
export const OrderLine = defineEntity({
  name: 'OrderLine',
  tableName: 'order_lines',
  properties: {
    id: p.uuid().primary(),
    order: p.manyToOne(Order),
    /** 0 to n-1, as Partner Center numbers them. */
    lineNumber: p.integer().check('line_number >= 0'),
    sku: p.manyToOne(Sku),
    quantity: p.integer().check('quantity >= 1'),
    unitPrice: p.decimal('string').columnType('numeric').check('unit_price >= 0'),
    total: p.decimal('string').columnType('numeric'),
    status: p.enum(Object.values(OrderLineStatus)),
    /** In order of `sequence`; none: never cancelled, or by support alone. */
    refundOptions: p.json<SoldRefundOption[]>().columnType('jsonb').default('[]'),
    /** Last instant at which the line may be cancelled, inclusive: that of the last option; null where it never may. */
    cancellableUntil: p.datetime(3).nullable(),
    /** Rules 20 and 25: cancelled by a support request instead. */
    supportRequestRequired: p.boolean().default(false),
    /** First and last day of the paid term, inclusive; null for perpetual software. */
    termStart: p.date().nullable(),
    termEnd: p.date().nullable(),
    /** How the term is billed; null in lines from before one SKU had several plans: that of the SKU. */
    billingPlan: p.enum(Object.values(BillingPlan)).nullable(),
  },
  uniques: [{ name: 'order_lines_number_key', properties: ['order', 'lineNumber'] }],
  indexes: [{ name: 'order_lines_sku_idx', properties: ['sku'] }],
  checks: [
    { name: 'order_lines_total', expression: 'total = unit_price * quantity' },
    {
      name: 'order_lines_refund_options',
      expression: "(cancellable_until is null) = (refund_options = '[]')",
    },
    { name: 'order_lines_term', expression: '(term_start is null) = (term_end is null) and term_end >= term_start' },
  ],
  triggers: [
    // Whoever writes lines, what they add to the sales is noted with them: see sales.entity.ts.
    {
      name: 'order_lines_sold',
      timing: 'after',
      events: ['insert'],
      forEach: 'row',
      body: `if new.status <> 'PENDING' then ${SOLD}; end if; return null`,
    },
    // What waits for the provider is sold once it is confirmed.
    {
      name: 'order_lines_confirmed',
      timing: 'after',
      events: ['update'],
      forEach: 'row',
      body: `if old.status = 'PENDING' and new.status = 'ACTIVE' then ${SOLD}; end if; return null`,
    },
    {
      name: 'order_lines_credited',
      timing: 'after',
      events: ['update'],
      forEach: 'row',
      body: `if new.status = 'CANCELLED' and old.status <> 'CANCELLED' then insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 0, 0, 0, c.credit from orders o, skus s, cancellation_lines c where o.id = new.order_id and s.id = new.sku_id and c.order_line_id = new.id and c.standing; end if; return null`,
    },
  ],
});
export type OrderLine = InferEntity<typeof OrderLine>;

/** A cancellation of some or all lines of an order: asked for at once, confirmed by fulfilment later (rule 17). */
export const Cancellation = defineEntity({
  name: 'Cancellation',
  tableName: 'cancellations',
  properties: {
    id: p.uuid().primary(),
    order: p.manyToOne(Order),
    customer: p.manyToOne(Customer),
    status: p.enum(Object.values(CancellationStatus)),
    credit: p.decimal('string').columnType('numeric').check('credit >= 0'),
    currency: p.string().columnType('char(3)'),
    reason: p.text().nullable(),
    /** Why the provider refused it, in words for those who asked; null also where that was not kept yet. */
    refusalReason: p.text().nullable(),
    requestedAt: p.datetime(3),
    requestedBy: p.text(),
    requestedByRole: p.text(),
    /** Key of the identity (`auth/identity.ts`); null in cancellations from before identities were kept. */
    requestedByIdentity: p.text().nullable(),
    confirmedAt: p.datetime(3).nullable(),
    correlationId: p.uuid(),
  },
  indexes: [
    { name: 'cancellations_order_idx', properties: ['order', 'requestedAt', 'id'] },
    {
      name: 'cancellations_pending_idx',
      expression: `create index "cancellations_pending_idx" on "cancellations" ("requested_at") where "status" = 'PENDING'`,
    },
  ],
  checks: [{ name: 'cancellations_confirmed', expression: "(status = 'CONFIRMED') = (confirmed_at is not null)" }],
});
export type Cancellation = InferEntity<typeof Cancellation>;

/** One line in a cancellation, with the arithmetic of its credit (rule 16). */
export const CancellationLine = defineEntity({
  name: 'CancellationLine',
  tableName: 'cancellation_lines',
  properties: {
    id: p.uuid().primary(),
    cancellation: p.manyToOne(Cancellation),
    orderLine: p.manyToOne(OrderLine),
    refundType: p.enum(Object.values(RefundType)),
    unitCredit: p.decimal('string').columnType('numeric'),
    quantity: p.integer(),
    credit: p.decimal('string').columnType('numeric'),
    /** Days of the paid term and how many of them are unused; null for a full refund. */
    termDays: p.integer().nullable(),
    unusedDays: p.integer().nullable(),
    /** False once fulfilment refused it: the line may then be cancelled again. */
    standing: p.boolean().default(true),
  },
  uniques: [
    {
      name: 'cancellation_lines_once_key',
      expression:
        'create unique index "cancellation_lines_once_key" on "cancellation_lines" ("order_line_id") where "standing"',
    },
  ],
  indexes: [{ name: 'cancellation_lines_cancellation_idx', properties: ['cancellation'] }],
  checks: [{ name: 'cancellation_lines_credit', expression: 'credit = unit_credit * quantity and credit >= 0' }],
  triggers: [
    // A line may be cancelled before its cancellation is written, where finished orders are loaded.
    {
      name: 'cancellation_lines_credited',
      timing: 'after',
      events: ['insert'],
      forEach: 'row',
      when: 'new.standing',
      body: `insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 0, 0, 0, new.credit from order_lines l, orders o, skus s where l.id = new.order_line_id and l.status = 'CANCELLED' and o.id = l.order_id and s.id = l.sku_id; return null`,
    },
  ],
});
export type CancellationLine = InferEntity<typeof CancellationLine>;
