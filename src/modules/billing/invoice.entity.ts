import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { ChargeType } from '../../domain/charge-type.js';
import { Product } from '../catalog/catalog.entity.js';
import { Customer } from '../customers/customer.entity.js';
import { CancellationLine, Order, OrderLine } from '../orders/order.entity.js';
import { appendOnly } from './append-only.js';

/** Whether a line takes or gives back; `ChargeType` says for what. */
export const InvoiceLineKind = { CHARGE: 'CHARGE', CREDIT: 'CREDIT' } as const;
export type InvoiceLineKind = (typeof InvoiceLineKind)[keyof typeof InvoiceLineKind];

/** What a document is: what is owed for a month, or what is given back of an invoice whose month is closed. */
export const InvoiceDocumentType = { INVOICE: 'INVOICE', CREDIT_NOTE: 'CREDIT_NOTE' } as const;
export type InvoiceDocumentType = (typeof InvoiceDocumentType)[keyof typeof InvoiceDocumentType];

/** Refuses what is booked on a closed month: after the lock it sees whether the month has been closed meanwhile. */
const guarded = (month: string) => `perform guard_open_month(${month}); return new`;

/** What a customer's orders cost in one calendar month (UTC) and currency. Its total is the sum of its lines. */
export const Invoice = defineEntity({
  name: 'Invoice',
  tableName: 'invoices',
  properties: {
    id: p.uuid().primary(),
    documentType: p.enum(Object.values(InvoiceDocumentType)).default(InvoiceDocumentType.INVOICE),
    /** The invoice that a credit note is about. */
    amendsOf: () => p.manyToOne(Invoice).nullable(),
    /**
     * `INV-` or `CN-` and nine digits, without gaps, given when its month is closed; null until then. `G` and nine digits
     * in invoices from before there were series.
     */
    number: p.text().nullable().unique('invoices_number_key').check("number ~ '^(G[0-9]{9}|(INV|CN)-[0-9]{9,})$'"),
    issuedAt: p.datetime(3).nullable(),
    customer: p.manyToOne(Customer),
    currency: p.string().columnType('char(3)'),
    /** First and last day of the billing period. */
    periodStart: p.date(),
    periodEnd: p.date(),
  },
  uniques: [
    {
      name: 'invoices_period_key',
      expression: `create unique index "invoices_period_key" on "invoices" ("customer_id", "currency", "period_start") where "document_type" = 'INVOICE'`,
    },
    {
      name: 'invoices_amends_key',
      expression: `create unique index "invoices_amends_key" on "invoices" ("amends_of_id", "period_start") where "amends_of_id" is not null`,
    },
  ],
  indexes: [
    { name: 'invoices_recent_idx', properties: ['periodStart', 'id'] },
    { name: 'invoices_customer_recent_idx', properties: ['customer', 'periodStart', 'id'] },
    { name: 'invoices_currency_recent_idx', properties: ['currency', 'periodStart', 'id'] },
    {
      name: 'invoices_open_idx',
      expression: `create index "invoices_open_idx" on "invoices" ("period_start", "id") where "issued_at" is null`,
    },
  ],
  checks: [
    { name: 'invoices_period', expression: 'period_end >= period_start' },
    { name: 'invoices_issued', expression: '(number is null) = (issued_at is null)' },
    { name: 'invoices_amends', expression: "(document_type = 'CREDIT_NOTE') = (amends_of_id is not null)" },
  ],
  triggers: [
    {
      name: 'invoices_open_month',
      timing: 'before',
      events: ['insert'],
      forEach: 'row',
      body: guarded('new.period_start'),
    },
    // Nothing of an invoice changes but that it is issued, once, when its month is closed.
    {
      name: 'invoices_issued_once',
      timing: 'before',
      events: ['update'],
      forEach: 'row',
      body: `if old.issued_at is null and new.issued_at is not null and to_jsonb(new) - 'number' - 'issued_at' = to_jsonb(old) - 'number' - 'issued_at' and exists (select from month_closings where month = new.period_start) then return new; end if; raise exception 'invoices are changed by the closing of their month alone (rule 16)' using errcode = 'insufficient_privilege'; return null`,
    },
    {
      name: 'invoices_kept',
      timing: 'before',
      events: ['delete'],
      forEach: 'statement',
      body: `raise exception 'invoices are kept (rule 16)' using errcode = 'insufficient_privilege'; return null`,
    },
  ],
});
export type Invoice = InferEntity<typeof Invoice>;

/** The entries of a line: what it adds to what the customer owes, and the other half (`ledger-entry.entity.ts`). */
const ENTERED = `insert into ledger_entries (invoice_line_id, account, customer_id, currency, amount, booked_at) select new.id, a.account, i.customer_id, i.currency, a.amount, new.booked_at from invoices i, (values ('ACCOUNTS_RECEIVABLE', new.amount), (case new.kind when 'CHARGE' then 'SALES' else 'SALES_RETURNS' end, -new.amount)) a (account, amount) where i.id = new.invoice_id`;

/** What was charged or given back: never changed after it was booked; a credit is a negative amount (rule 16). */
export const InvoiceLine = defineEntity({
  name: 'InvoiceLine',
  tableName: 'invoice_lines',
  properties: {
    id: p.uuid().primary(),
    invoice: p.manyToOne(Invoice),
    kind: p.enum(Object.values(InvoiceLineKind)),
    chargeType: p.enum(Object.values(ChargeType)),
    /** First and last day of what is charged or given back, inclusive; null for perpetual software. */
    chargeStart: p.date().nullable(),
    chargeEnd: p.date().nullable(),
    /** The order and the product of the order line, which invoices are found by. */
    order: p.manyToOne(Order),
    product: p.manyToOne(Product),
    orderLine: p.manyToOne(OrderLine),
    cancellationLine: p.manyToOne(CancellationLine).nullable().unique('invoice_lines_credit_once_key'),
    description: p.text(),
    quantity: p.integer(),
    /** Per unit; positive also for credits. */
    unitAmount: p.decimal('string').columnType('numeric'),
    /** Signed: what the line adds to the invoice. */
    amount: p.decimal('string').columnType('numeric'),
    /** Signed: the tax of the line as Microsoft's file has it; null for what was booked here, which reckons no taxes. */
    taxAmount: p.decimal('string').columnType('numeric').nullable(),
    bookedAt: p.datetime(3),
  },
  uniques: [
    {
      name: 'invoice_lines_charge_once_key',
      expression: `create unique index "invoice_lines_charge_once_key" on "invoice_lines" ("order_line_id") where "charge_type" = 'NEW'`,
    },
  ],
  indexes: [
    { name: 'invoice_lines_invoice_idx', properties: ['invoice', 'bookedAt', 'id'] },
    { name: 'invoice_lines_order_idx', properties: ['order', 'invoice'] },
    { name: 'invoice_lines_product_idx', properties: ['product', 'invoice'] },
  ],
  checks: [
    {
      name: 'invoice_lines_amount',
      expression:
        "(kind = 'CHARGE' and amount = unit_amount * quantity) or (kind = 'CREDIT' and amount = -unit_amount * quantity)",
    },
    {
      name: 'invoice_lines_charge_type',
      expression:
        "case when charge_type in ('NEW', 'RENEW', 'CYCLE_CHARGE', 'ADD_QUANTITY', 'EXTEND_TERM') then kind = 'CHARGE' when charge_type in ('REMOVE_QUANTITY', 'CANCEL_IMMEDIATE', 'CUSTOMER_CREDIT') then kind = 'CREDIT' else true end",
    },
    {
      name: 'invoice_lines_cancellation',
      expression: "(charge_type = 'CANCEL_IMMEDIATE') = (cancellation_line_id is not null)",
    },
    {
      name: 'invoice_lines_period',
      expression: '(charge_start is null) = (charge_end is null) and charge_end >= charge_start',
    },
  ],
  triggers: [
    appendOnly('invoice_lines'),
    {
      name: 'invoice_lines_open_month',
      timing: 'before',
      events: ['insert'],
      forEach: 'row',
      body: guarded('(select period_start from invoices where id = new.invoice_id)'),
    },
    {
      name: 'invoice_lines_minor_unit',
      timing: 'before',
      events: ['insert'],
      forEach: 'row',
      body: `perform guard_minor_unit(new.amount, (select currency from invoices where id = new.invoice_id)); return new`,
    },
    // Whoever books a line, its entries are written with it.
    {
      name: 'invoice_lines_entered',
      timing: 'after',
      events: ['insert'],
      forEach: 'row',
      body: `${ENTERED}; return null`,
    },
  ],
});
export type InvoiceLine = InferEntity<typeof InvoiceLine>;
