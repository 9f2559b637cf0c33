import { sql } from 'kysely';
import { idOf } from '../../graphql/id-of.js';
import { globalId } from '../../read/fields.js';
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

const currencyOfInvoice = (line: Row) =>
  sql`(select "currency" from "invoices" where "invoices"."id" = ${line.col('invoice')})`;

/** Whether few invoices are left: then the lines of each are looked at. */
const isNarrow = (narrowedBy: Narrowing) => ['customerId', 'orderId', PARENT].some((by) => narrowedBy.has(by));

/** How an Invoice is read. Its total is added up from its lines each time: there is no second number to be wrong. */
export const invoiceRead: ReadType = {
  name: 'Invoice',
  entity: 'Invoice',
  fields: {
    id: globalId('Invoice'),
    ...properties('documentType', 'number', 'issuedAt', 'periodStart', 'periodEnd'),
    period: period(
      (invoice) => invoice.col('periodStart'),
      (invoice) => invoice.col('periodEnd'),
    ),
    customer: one('Customer', 'customer'),
    status: computed((invoice) => sql`case when ${invoice.col('issuedAt')} is null then 'OPEN' else 'ISSUED' end`),
    amendsOf: one('Invoice', 'amendsOf'),
    amendments: many('Invoice', 'amendsOf', (note) => [note.col('periodStart'), note.col('id')]),
    total: {
      ...money(
        (invoice) =>
          sql`(select coalesce(sum("amount"), 0) from "invoice_lines" where "invoice_id" = ${invoice.col('id')})`,
        (invoice) => invoice.col('currency'),
      ),
      // It is added up twice: once to see whether there is one.
      weight: 0.1,
    },
    lines: many('InvoiceLine', 'invoice', (line) => [line.col('bookedAt'), line.col('id')]),
  },
  listing: {
    filters: {
      customerId: (invoice, id: Param<string>) =>
        sql`${invoice.col('customer')} = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
      orderId: (invoice, id: Param<string>) =>
        sql`${invoice.col('id')} in (select "l"."invoice_id" from "invoice_lines" "l" where "l"."order_id" = ${id.map((globalId) => idOf('Order', globalId, 'filter.orderId'))}::uuid offset 0)`,
      productId: (invoice, productId: Param<string>, _known, narrowedBy) => {
        const product = sql`(select "p"."id" from "products" "p" where "p"."product_id" = upper(${productId}::text))`;
        return isNarrow(narrowedBy)
          ? sql`exists (select from "invoice_lines" "l" where "l"."invoice_id" = ${invoice.col('id')} and "l"."product_id" = ${product} offset 0)`
          : // As with orders: its lines lead to them, for nobody knows when one of it is met on the way.
            sql`${invoice.col('id')} in (select "l"."invoice_id" from "invoice_lines" "l" where "l"."product_id" = ${product} offset 0)`;
      },
      from: (invoice, from: Param<string>) => sql`${invoice.col('periodStart')} >= ${from}::date`,
      to: (invoice, to: Param<string>) => sql`${invoice.col('periodStart')} < ${to}::date`,
      currency: (invoice, currency: Param<string>) =>
        sql`${invoice.col('currency')} = upper(${currency}::text)::bpchar`,
      // What is issued is of a closed month: by the latest of them the list begins where it should.
      status: (invoice, _status, known) =>
        known() === 'ISSUED'
          ? sql`(${invoice.col('issuedAt')} is not null and ${invoice.col('periodStart')} <= (select max("month") from "month_closings"))`
          : sql`${invoice.col('issuedAt')} is null`,
    },
    weights: {
      customerId: { isOneCustomers: true },
      orderId: { share: 0.01 },
      // All lines of the product are read.
      productId: { times: 5, share: 0.1, alone: 0.06 },
      currency: { share: 1 },
    },
    orders: {
      PERIOD_START: [
        { property: 'periodStart', type: 'date' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'PERIOD_START', direction: 'DESC' },
  },
};

/** How an InvoiceLine is read. */
export const invoiceLineRead: ReadType = {
  name: 'InvoiceLine',
  entity: 'InvoiceLine',
  fields: {
    id: globalId('InvoiceLine'),
    ...properties('kind', 'chargeType', 'chargeStart', 'chargeEnd', 'description', 'quantity', 'bookedAt'),
    chargePeriod: period(
      (line) => line.col('chargeStart'),
      (line) => line.col('chargeEnd'),
    ),
    order: one('Order', 'order'),
    product: one('Product', 'product'),
    orderLine: one('OrderLine', 'orderLine'),
    unitAmount: money((line) => line.col('unitAmount'), currencyOfInvoice),
    amount: money((line) => line.col('amount'), currencyOfInvoice),
    taxAmount: money((line) => line.col('taxAmount'), currencyOfInvoice),
  },
};

/** What billing adds to the types below it. */
export const invoiceExtensions: TypeExtensions = { Customer: { invoices: connection('Invoice', 'customer') } };

/** Root fields of invoices. */
export const invoiceRoots: RootReads = { invoices: { kind: 'connection', type: 'Invoice' } };
