import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/*
 * Sales added up beforehand, so that `Query.sales` reads a number of rows that grows with groups and not with orders.
 *
 * This way, of several that were weighed, keeps answers exact at every instant and writers apart:
 * - a materialised view is either stale or recomputed from every row;
 * - a covering index still reads every line of the range;
 * - totals updated by the use case itself are hot rows: purchases of one product would wait for one another.
 * So a use case only inserts what it adds (`SalesDelta`, by triggers, in its own transaction: whoever writes lines, the
 * sales cannot miss it), and a transaction of its own adds deltas to the totals (roll-up-sales.ts). A reader's statement
 * sees one snapshot, in which an amount is either a delta or in the totals.
 */

const amounts = {
  count: p.bigint('string'),
  quantity: p.bigint('string'),
  gross: p.decimal('string').columnType('numeric'),
  credited: p.decimal('string').columnType('numeric'),
};

/** What a line, or its credit, adds to the sales of the UTC day of its purchase. Inserted, and rolled up later. */
export const SalesDelta = defineEntity({
  name: 'SalesDelta',
  tableName: 'sales_deltas',
  properties: {
    id: p.bigint('string').autoincrement().primary(),
    day: p.date(),
    customerId: p.uuid(),
    marketCode: p.string().columnType('char(2)'),
    productId: p.uuid(),
    kind: p.text(),
    currency: p.string().columnType('char(3)'),
    ...amounts,
  },
});
export type SalesDelta = InferEntity<typeof SalesDelta>;

/** Stretches of the calendar that are added up. A range is cut into whole ones of them, the longest first. */
export const SalesSpan = { YEAR: 'YEAR', MONTH: 'MONTH', DAY: 'DAY' } as const;
export type SalesSpan = keyof typeof SalesSpan;

const span = {
  span: p.enum(Object.values(SalesSpan)).primary(),
  /** First day, in UTC. */
  start: p.date().primary(),
};

/** Sales of a year, month or day by market, product, kind and currency. */
export const SalesByProduct = defineEntity({
  name: 'SalesByProduct',
  tableName: 'sales_by_product',
  properties: {
    ...span,
    marketCode: p.string().columnType('char(2)').primary(),
    productId: p.uuid().primary(),
    kind: p.text().primary(),
    currency: p.string().columnType('char(3)').primary(),
    ...amounts,
  },
});

/** Sales of a year, month or day by customer, market, kind and currency. */
export const SalesByCustomer = defineEntity({
  name: 'SalesByCustomer',
  tableName: 'sales_by_customer',
  properties: {
    ...span,
    customerId: p.uuid().primary(),
    marketCode: p.string().columnType('char(2)').primary(),
    kind: p.text().primary(),
    currency: p.string().columnType('char(3)').primary(),
    ...amounts,
  },
  indexes: [{ name: 'sales_by_customer_customer_idx', properties: ['customerId', 'span', 'start'] }],
});
