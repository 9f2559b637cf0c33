import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { appendOnly } from './append-only.js';
import { InvoiceDocumentType } from './invoice.entity.js';

/** A month that is closed: nothing is booked on it any more, by triggers of the tables that it would be booked in. */
export const MonthClosing = defineEntity({
  name: 'MonthClosing',
  tableName: 'month_closings',
  properties: {
    /** The first day of the month. */
    month: p.date().primary(),
    /** The instant of the closing, by the clock of the database. */
    closedAt: p.datetime(3).defaultRaw('now()'),
  },
  triggers: [appendOnly('month_closings')],
});
export type MonthClosing = InferEntity<typeof MonthClosing>;

/**
 * The last number of a series, one for each type of document. A sequence would leave gaps where a transaction is rolled
 * back: the row is locked by whoever gives numbers until they are committed.
 */
export const InvoiceSeries = defineEntity({
  name: 'InvoiceSeries',
  tableName: 'invoice_series',
  properties: {
    documentType: p.enum(Object.values(InvoiceDocumentType)).primary(),
    lastNumber: p.bigint('string').default('0'),
  },
});
export type InvoiceSeries = InferEntity<typeof InvoiceSeries>;
