import { sql } from 'kysely';
import { idOf } from '../../graphql/id-of.js';
import { among, before, eachOf, globalId, since } from '../../read/fields.js';
import {
  computed,
  connection,
  many,
  money,
  type Narrowing,
  one,
  PARENT,
  period,
  properties,
  type ReadType,
  type RootReads,
  type TypeExtensions,
} from '../../read/model.js';
import type { Param } from '../../read/param.js';
import { type Row } from '../../read/row.js';

const orderCurrency = (line: Row) => sql`(select "currency" from "orders" where "orders"."id" = ${line.col('order')})`;
const cancellationCurrency = (line: Row) =>
  sql`(select "currency" from "cancellations" where "cancellations"."id" = ${line.col('cancellation')})`;

/** Whether few orders are left: then the lines of each are looked at. A span of time may be of years. */
const isNarrow = (narrowedBy: Narrowing) => ['customerId', 'placedBy', PARENT].some((by) => narrowedBy.has(by));

/**
 * Where few orders are left, `offset 0` keeps PostgreSQL from joining all lines first. Else its statistics choose: a
 * frequent kind is soon met on the way, a rare one is found by its lines.
 */
const eachOrder = (narrowedBy: Narrowing) =>
  isNarrow(narrowedBy) || narrowedBy.has('from') || narrowedBy.has('to') ? sql` offset 0` : sql``;

/** How an Order is read. */
export const orderRead: ReadType = {
  name: 'Order',
  entity: 'Order',
  fields: {
    id: globalId('Order'),
    ...properties('number', 'status', 'currency', 'placedAt', 'placedBy', 'taxIncluded', 'refusalReason'),
    customer: one('Customer', 'customer'),
    market: one('Market', 'market', 'code'),
    lines: many('OrderLine', 'order', (line) => [line.col('lineNumber')]),
    total: money(
      (order) => order.col('total'),
      (order) => order.col('currency'),
    ),
    cancellations: many('Cancellation', 'order', (cancellation) => [
      cancellation.col('requestedAt'),
      cancellation.col('id'),
    ]),
  },
  listing: {
    filters: {
      customerId: (order, id: Param<string>) =>
        sql`${order.col('customer')} = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
      statuses: (order, statuses: Param<string[]>) => among(order.col('status'), statuses),
      from: (order, from: Param<Date>) => since(order.col('placedAt'), from),
      to: (order, to: Param<Date>) => before(order.col('placedAt'), to),
      kind: (order, kind: Param<string>, _known, narrowedBy) =>
        sql`exists (select from "order_lines" "l" join "skus" "s" on "s"."id" = "l"."sku_id" where "l"."order_id" = ${order.col('id')} and "s"."kind" = ${kind}${eachOrder(narrowedBy)})`,
      productId: (order, productId: Param<string>, _known, narrowedBy) => {
        const ofProduct = sql`select "s"."id" from "skus" "s" join "products" "p" on "p"."id" = "s"."product_id" where "p"."product_id" = upper(${productId}::text)`;
        return isNarrow(narrowedBy)
          ? sql`exists (select from "order_lines" "l" where "l"."order_id" = ${order.col('id')} and "l"."sku_id" in (${ofProduct}) offset 0)`
          : // Its lines, however many, lead to them: on the way through all orders nobody knows when one of it is met.
            sql`${order.col('id')} in (select "l"."order_id" from "order_lines" "l" where "l"."sku_id" in (${ofProduct}) offset 0)`;
      },
      placedBy: (order, user: Param<string>) => sql`${order.col('placedBy')} = lower(${user}::text)`,
    },
    perValueUnions: { statuses: eachOf('status') },
    weights: {
      customerId: { isOneCustomers: true },
      // A kind is frequent: it is met on the way, except one that is sold no more.
      kind: { times: 8, share: 1, alone: 0.125 },
      // All lines of the product are read.
      productId: { times: 5, share: 0.1, alone: 0.06 },
      statuses: { share: 1 },
      placedBy: { share: 0.1 },
    },
    orders: {
      PLACED_AT: [
        { property: 'placedAt', type: 'timestamptz' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'PLACED_AT', direction: 'DESC' },
  },
};

/** The type of the refund option that holds now; the same choice as in refund-options.ts. */
const optionNow = (line: Row) =>
  sql`(select "option" ->> 'type' from jsonb_array_elements(${line.col('refundOptions')}) with ordinality as "options" ("option", "place") where ("option" ->> 'expiresAt')::timestamptz >= now() order by "place" limit 1)`;

/** How an OrderLine is read. */
export const orderLineRead: ReadType = {
  name: 'OrderLine',
  entity: 'OrderLine',
  fields: {
    id: globalId('OrderLine'),
    ...properties(
      'lineNumber',
      'quantity',
      'status',
      'cancellableUntil',
      'supportRequestRequired',
      'termStart',
      'termEnd',
    ),
    refundOptions: {
      kind: 'elements',
      from: (line, as) =>
        sql`jsonb_to_recordset(${line.col('refundOptions')}) as ${as} ("sequence" int, "type" text, "expiresAt" text)`,
      orderBy: (option) => [option.col('sequence')],
      fields: properties('sequence', 'type', 'expiresAt'),
    },
    term: period(
      (line) => line.col('termStart'),
      (line) => line.col('termEnd'),
    ),
    sku: one('Sku', 'sku'),
    billingPlan: computed(
      (line) =>
        sql`coalesce(${line.col('billingPlan')}, (select "billing_plan" from "skus" where "skus"."id" = ${line.col('sku')}))`,
    ),
    unitPrice: money((line) => line.col('unitPrice'), orderCurrency),
    total: money((line) => line.col('total'), orderCurrency),
    isCancellable: computed(
      (line) =>
        sql`${line.col('status')} = 'ACTIVE' and coalesce(${line.col('cancellableUntil')} >= now(), false) and not ${line.col('supportRequestRequired')}
          and not coalesce(${line.col('termEnd')} < (now() at time zone 'UTC')::date and ${optionNow(line)} = 'PARTIAL', false)`,
    ),
  },
};

/** How a Cancellation is read. */
export const cancellationRead: ReadType = {
  name: 'Cancellation',
  entity: 'Cancellation',
  fields: {
    id: globalId('Cancellation'),
    ...properties('status', 'reason', 'refusalReason', 'requestedAt', 'requestedBy', 'confirmedAt'),
    order: one('Order', 'order'),
    customer: one('Customer', 'customer'),
    lines: many('CancellationLine', 'cancellation', (line) => [
      sql`(select "line_number" from "order_lines" where "order_lines"."id" = ${line.col('orderLine')})`,
    ]),
    credit: money(
      (cancellation) => cancellation.col('credit'),
      (cancellation) => cancellation.col('currency'),
    ),
    rule: computed(
      (cancellation) =>
        sql`(select case when min("refund_type") = max("refund_type") then min("refund_type") else 'MIXED' end from "cancellation_lines" where "cancellation_id" = ${cancellation.col('id')})`,
    ),
  },
};

/** How a CancellationLine is read. */
export const cancellationLineRead: ReadType = {
  name: 'CancellationLine',
  entity: 'CancellationLine',
  fields: {
    id: globalId('CancellationLine'),
    ...properties('refundType', 'termDays', 'unusedDays'),
    orderLine: one('OrderLine', 'orderLine'),
    unitCredit: money((line) => line.col('unitCredit'), cancellationCurrency),
    credit: money((line) => line.col('credit'), cancellationCurrency),
  },
};

/** What orders add to the types below them. */
export const orderExtensions: TypeExtensions = { Customer: { orders: connection('Order', 'customer') } };

/** Root fields of orders. */
export const orderRoots: RootReads = {
  orders: { kind: 'connection', type: 'Order' },
  order: {
    kind: 'one',
    type: 'Order',
    where: (order, args) => {
      const by = args.object('by');
      return by.given('id')
        ? sql`${order.col('id')} = ${by.param<string>('id').map((id) => idOf('Order', id, 'by.id'))}::uuid`
        : sql`${order.col('number')} = lower(${by.param('number')}::text)`;
    },
  },
};
