import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Customer } from '../customers/customer.entity.js';
import { CancellationLine, OrderLine } from '../orders/order.entity.js';

/** Charges of a purchase, credits of a cancellation. */
export const InvoiceLineKind = { CHARGE: 'CHARGE', CREDIT: 'CREDIT' } as const;
export type InvoiceLineKind = (typeof InvoiceLineKind)[keyof typeof InvoiceLineKind];

/** What a customer's orders cost in one calendar month (UTC) and currency. Its total is the sum of its lines. */
export const Invoice = defineEntity({
  name: 'Invoice',
  tableName: 'invoices',
  properties: {
    id: p.uuid().primary(),
    /** `G` and nine digits, as new-commerce invoices are numbered. */
    number: p.text().unique('invoices_number_key').check("number ~ '^G[0-9]{9}$'"),
    customer: p.manyToOne(Customer),
    currency: p.string().columnType('char(3)'),
    /** First and last day of the billing period. */
    periodStart: p.date(),
    periodEnd: p.date(),
  },
  uniques: [{ name: 'invoices_period_key', properties: ['customer', 'currency', 'periodStart'] }],
  indexes: [
    { name: 'invoices_recent_idx', properties: ['periodStart', 'id'] },
    { name: 'invoices_customer_recent_idx', properties: ['customer', 'periodStart', 'id'] },
    { name: 'invoices_currency_recent_idx', properties: ['currency', 'periodStart', 'id'] },
  ],
  checks: [{ name: 'invoices_period', expression: 'period_end >= period_start' }],
});
export type Invoice = InferEntity<typeof Invoice>;

/** One row of the ledger: never changed after it was booked; a credit is a negative amount (rule 16). */
export const InvoiceLine = defineEntity({
  name: 'InvoiceLine',
  tableName: 'invoice_lines',
  properties: {
    id: p.uuid().primary(),
    invoice: p.manyToOne(Invoice),
    kind: p.enum(Object.values(InvoiceLineKind)),
    orderLine: p.manyToOne(OrderLine),
    cancellationLine: p.manyToOne(CancellationLine).nullable().unique('invoice_lines_credit_once_key'),
    description: p.text(),
    quantity: p.integer(),
    /** Per unit; positive also for credits. */
    unitAmount: p.decimal('string').columnType('numeric'),
    /** Signed: what the line adds to the invoice. */
    amount: p.decimal('string').columnType('numeric'),
    bookedAt: p.datetime(3),
  },
  uniques: [
    {
      name: 'invoice_lines_charge_once_key',
      expression: `create unique index "invoice_lines_charge_once_key" on "invoice_lines" ("order_line_id") where "kind" = 'CHARGE'`,
    },
  ],
  indexes: [{ name: 'invoice_lines_invoice_idx', properties: ['invoice', 'bookedAt', 'id'] }],
  checks: [
    {
      name: 'invoice_lines_amount',
      expression:
        "(kind = 'CHARGE' and amount = unit_amount * quantity and cancellation_line_id is null) or (kind = 'CREDIT' and amount = -unit_amount * quantity and cancellation_line_id is not null)",
    },
  ],
});
export type InvoiceLine = InferEntity<typeof InvoiceLine>;
