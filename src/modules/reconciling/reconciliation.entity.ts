import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { MatchedBy, StatementKind, Verdict } from '../../domain/reconciliation.js';
import { InvoiceLine } from '../billing/invoice.entity.js';
import { Customer } from '../customers/customer.entity.js';

/** One column in which a line of Microsoft's differs from ours. Amounts are decimal strings, days `YYYY-MM-DD`. */
export interface Difference {
  /** Each column by Microsoft's name. */
  column: string;
  theirs: string;
  ours: string;
  /** Theirs less ours: an amount, a quantity or days; null for words. */
  by: string | null;
}

/** A reconciliation file of Microsoft's that was imported, and held against the invoices of its month. */
export const Reconciliation = defineEntity({
  name: 'Reconciliation',
  tableName: 'reconciliations',
  properties: {
    id: p.uuid().primary(),
    /** The hash of the bytes of the file: the same file is imported once. */
    sha256: p.text().unique('reconciliations_sha256_key').check("sha256 ~ '^[0-9a-f]{64}$'"),
    fileName: p.text(),
    /** The eTag of the billing export's manifest: another one names another version of the data. */
    manifestEtag: p.text().nullable(),
    format: p.enum(['CSV', 'JSON_LINES'] as const),
    /** Names of the columns as the file has them, in its order. */
    columns: p.json<string[]>().columnType('jsonb'),
    kind: p.enum(Object.values(StatementKind)),
    /** Null for what is not billed, and where the file has the lines of several invoices. */
    invoiceNumber: p.text().nullable(),
    /** First day of the billing period, which is a calendar month. */
    month: p.date().check('extract(day from month) = 1'),
    currency: p.string().columnType('char(3)'),
    rowCount: p.integer(),
    /** Rows that could not be read, and were left out. */
    refusedRowCount: p.integer(),
    /** Sum of Total: the amount of the invoice. */
    total: p.decimal('string').columnType('numeric'),
    /** What amounts may differ by and count as equal. */
    tolerance: p.decimal('string').columnType('numeric').check('tolerance >= 0'),
    importedAt: p.datetime(3),
    importedBy: p.text(),
    comparedAt: p.datetime(3),
    /** When a newer version of the same invoice was imported: this one then has no lines any more, but its evidence. */
    supersededAt: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'reconciliations_recent_idx', properties: ['month', 'id'] },
    { name: 'reconciliations_currency_idx', properties: ['currency', 'month', 'id'] },
  ],
});
export type Reconciliation = InferEntity<typeof Reconciliation>;

/** A row of an imported file as it stands in it: the evidence. */
export const StatementLine = defineEntity({
  name: 'StatementLine',
  tableName: 'statement_lines',
  properties: {
    reconciliation: p.manyToOne(Reconciliation).primary(),
    /** Counts from 1, a header included. */
    line: p.integer().primary(),
    /** What its column InvoiceNumber holds; null for what is not billed. */
    invoiceNumber: p.text().nullable(),
    /** All its columns under their own names, those that are not known among them. */
    content: p.json<Record<string, unknown>>().columnType('jsonb'),
  },
  indexes: [{ name: 'statement_lines_invoice_idx', properties: ['invoiceNumber', 'reconciliation'] }],
});
export type StatementLine = InferEntity<typeof StatementLine>;

/** What became of one line, of Microsoft's or of ours, when a file was held against our invoices. */
export const ReconciliationLine = defineEntity({
  name: 'ReconciliationLine',
  tableName: 'reconciliation_lines',
  properties: {
    id: p.uuid().primary(),
    reconciliation: p.manyToOne(Reconciliation),
    verdict: p.enum(Object.values(Verdict)),
    /** The line of the file; null for what is missing there. */
    line: p.integer().nullable(),
    /** Ours; null for what is missing here. */
    invoiceLine: p.manyToOne(InvoiceLine).nullable().deleteRule('cascade'),
    matchedBy: p.enum(Object.values(MatchedBy)).nullable(),
    /** Null for a customer whom we do not know. */
    customer: p.manyToOne(Customer).nullable(),
    customerTenantId: p.uuid(),
    customerName: p.text(),
    /** First day of the file's month. */
    month: p.date(),
    /** First day of the month in which ours was invoiced: at times the one before or after. */
    ourMonth: p.date().nullable(),
    orderNumber: p.text().nullable(),
    productId: p.text().nullable(),
    skuId: p.text().nullable(),
    title: p.text().nullable(),
    /** In Microsoft's words. */
    chargeType: p.text(),
    currency: p.string().columnType('char(3)'),
    theirAmount: p.decimal('string').columnType('numeric').nullable(),
    ourAmount: p.decimal('string').columnType('numeric').nullable(),
    differences: p.json<Difference[]>().columnType('jsonb').default('[]'),
  },
  indexes: [
    { name: 'reconciliation_lines_reconciliation_idx', properties: ['reconciliation', 'id'] },
    { name: 'reconciliation_lines_verdict_idx', properties: ['verdict', 'id'] },
    { name: 'reconciliation_lines_month_idx', properties: ['month', 'id'] },
    { name: 'reconciliation_lines_customer_idx', properties: ['customer', 'id'] },
    { name: 'reconciliation_lines_ours_idx', properties: ['invoiceLine'] },
  ],
  checks: [
    {
      name: 'reconciliation_lines_verdict',
      expression:
        "case verdict when 'MISSING_HERE' then line is not null and invoice_line_id is null when 'MISSING_THERE' then line is null and invoice_line_id is not null else line is not null and invoice_line_id is not null and matched_by is not null and (verdict = 'DIFFERENT') = (differences <> '[]') end",
    },
  ],
});
export type ReconciliationLine = InferEntity<typeof ReconciliationLine>;
