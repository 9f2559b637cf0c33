import { sql } from 'kysely';
import { idOf } from '../../graphql/id-of.js';
import { among, eachOf, globalId } from '../../read/fields.js';
import {
  connection,
  money,
  one,
  properties,
  property,
  type ReadType,
  type RootReads,
  type TypeExtensions,
} from '../../read/model.js';
import type { Param } from '../../read/param.js';

/** How a Reconciliation is read. */
export const reconciliationRead: ReadType = {
  name: 'Reconciliation',
  entity: 'Reconciliation',
  fields: {
    id: globalId('Reconciliation'),
    ...properties('sha256', 'fileName', 'format', 'kind', 'invoiceNumber', 'month', 'rowCount', 'refusedRowCount'),
    ...properties('importedAt', 'importedBy', 'comparedAt', 'supersededAt', 'manifestEtag'),
    total: money(
      (file) => file.col('total'),
      (file) => file.col('currency'),
    ),
    tolerance: money(
      (file) => file.col('tolerance'),
      (file) => file.col('currency'),
    ),
    lines: connection('ReconciliationLine', 'reconciliation'),
  },
  listing: {
    filters: {
      month: (file, month: Param<string>) => sql`${file.col('month')} = date_trunc('month', ${month}::date)::date`,
      currency: (file, currency: Param<string>) => sql`${file.col('currency')} = upper(${currency}::text)::bpchar`,
    },
    weights: { month: { share: 0.1 }, currency: { share: 1 } },
    orders: {
      MONTH: [
        { property: 'month', type: 'date' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'MONTH', direction: 'DESC' },
  },
};

/** How a ReconciliationLine is read. */
export const reconciliationLineRead: ReadType = {
  name: 'ReconciliationLine',
  entity: 'ReconciliationLine',
  fields: {
    id: globalId('ReconciliationLine'),
    ...properties('verdict', 'matchedBy', 'customerName', 'month', 'ourMonth'),
    ...properties('orderNumber', 'productId', 'skuId', 'title', 'chargeType'),
    statementLine: property('line'),
    tenantId: property('customerTenantId'),
    reconciliation: one('Reconciliation', 'reconciliation'),
    customer: one('Customer', 'customer'),
    invoiceLine: one('InvoiceLine', 'invoiceLine'),
    theirAmount: money(
      (line) => line.col('theirAmount'),
      (line) => line.col('currency'),
    ),
    ourAmount: money(
      (line) => line.col('ourAmount'),
      (line) => line.col('currency'),
    ),
    difference: money(
      (line) => sql`coalesce(${line.col('theirAmount')}, 0) - coalesce(${line.col('ourAmount')}, 0)`,
      (line) => line.col('currency'),
    ),
    differences: {
      kind: 'elements',
      from: (line, as) =>
        sql`(select "place", "one" ->> 'column' as "column", "one" ->> 'theirs' as "theirs", "one" ->> 'ours' as "ours", "one" ->> 'by' as "by" from jsonb_array_elements(${line.col('differences')}) with ordinality as "all" ("one", "place")) as ${as}`,
      orderBy: (difference) => [difference.col('place')],
      fields: properties('column', 'theirs', 'ours', 'by'),
    },
  },
  listing: {
    filters: {
      verdicts: (line, verdicts: Param<string[]>) => among(line.col('verdict'), verdicts),
      month: (line, month: Param<string>) => sql`${line.col('month')} = date_trunc('month', ${month}::date)::date`,
      customerId: (line, id: Param<string>) =>
        sql`${line.col('customer')} = ${id.map((given) => idOf('Customer', given, 'filter.customerId'))}::uuid`,
      reconciliationId: (line, id: Param<string>) =>
        sql`${line.col('reconciliation')} = ${id.map((given) => idOf('Reconciliation', given, 'filter.reconciliationId'))}::uuid`,
    },
    perValueUnions: { verdicts: eachOf('verdict') },
    weights: {
      customerId: { isOneCustomers: true },
      verdicts: { share: 1 },
      month: { share: 0.1 },
      reconciliationId: { share: 0.1 },
    },
    orders: { IMPORTED: [{ property: 'id', type: 'uuid' }] },
    defaultOrder: { field: 'IMPORTED', direction: 'ASC' },
  },
};

/** What reconciliations add to what was created out of them, or held against them. */
export const reconciliationExtensions: TypeExtensions = {
  Order: { importedFrom: one('Reconciliation', 'importedFrom') },
  InvoiceLine: {
    evidence: {
      kind: 'one',
      type: 'ReconciliationLine',
      on: (ours, line) => sql`${line.col('invoiceLine')} = ${ours.col('id')}`,
      first: (line) => [line.col('id')],
    },
  },
};

/** Root fields of reconciliations. */
export const reconciliationRoots: RootReads = {
  reconciliations: { kind: 'connection', type: 'Reconciliation' },
  reconciliationLines: { kind: 'connection', type: 'ReconciliationLine' },
};
