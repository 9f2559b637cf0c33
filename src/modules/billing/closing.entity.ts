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
  // A series that went back would give a number twice, and no month could be closed any more.
  triggers: [
    {
      name: 'invoice_series_grows',
      timing: 'before',
      events: ['update'],
      forEach: 'row',
      body: `if new.document_type = old.document_type and new.last_number > old.last_number then return new; end if; raise exception 'a series of documents only grows (rule 16)' using errcode = 'insufficient_privilege'; return null`,
    },
    {
      name: 'invoice_series_kept',
      timing: 'before',
      events: ['delete'],
      forEach: 'statement',
      body: `raise exception 'series of documents are kept (rule 16)' using errcode = 'insufficient_privilege'; return null`,
    },
  ],
});
export type InvoiceSeries = InferEntity<typeof InvoiceSeries>;
