import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { RECONCILIATION_COLUMNS, type ReconciliationColumn } from '../../src/partner-center/reconciliation/columns.js';

/** Cells of a row by column; what is left out is empty. */
export type StatementRow = Partial<Record<ReconciliationColumn, string>>;

/** The first day of the month that is `distance` months from this one, in UTC: `YYYY-MM-DD`. */
export function monthAt(distance: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + distance, 1)).toISOString().slice(0, 10);
}

/** `2026-10-31` as Partner Center writes it in English. */
export const inEnglish = (day: string): string => {
  const [year, month, date] = day.split('-').map(Number);
  return `${month}/${date}/${year}`;
};

/** A line as Microsoft writes it for perpetual software: dates with the month first, a list with doubled quotes. */
export function statementRow(row: StatementRow): StatementRow {
  const quantity = row.Quantity ?? '1';
  const unit = row.UnitPrice ?? '100';
  const subtotal = row.Subtotal ?? String(Number(quantity) * Number(unit));
  return {
    PartnerId: 'a5a4a3a2-0000-4000-8000-000000000001',
    CustomerName: 'Contoso, "the" company',
    CustomerDomainName: 'contoso.onmicrosoft.com',
    CustomerCountry: 'US',
    InvoiceNumber: 'G000000001',
    MpnId: '1234567',
    OrderDate: inEnglish(monthAt(0).replace(/01$/, '13')),
    ChargeType: 'new',
    UnitPrice: unit,
    EffectiveUnitPrice: unit,
    Quantity: quantity,
    BillableQuantity: quantity,
    Subtotal: subtotal,
    TaxTotal: '0',
    Total: subtotal,
    Currency: 'USD',
    PricingCurrency: 'USD',
    PCToBCExchangeRate: '1',
    PriceAdjustmentDescription: '["10.0% example discount"]',
    PublisherName: 'Microsoft Corporation',
    SkuName: 'Some software',
    ProductName: 'Some product',
    ProductQualifiers: '["Commercial"]',
    ...row,
  };
}

/** Writes files into a folder. */
export class StatementFiles {
  constructor(readonly folder: string) {}

  /** As Partner Center has it: a byte order mark, CRLF, quotes only where needed. Answers its path. */
  csv(
    rows: readonly StatementRow[],
    columns: readonly string[] = RECONCILIATION_COLUMNS,
    name: string = randomUUID(),
  ): string {
    const body = rows.map((row) => columns.map((column) => row[column as ReconciliationColumn] ?? ''));
    return this.text(`\ufeff${stringify([[...columns], ...body], { record_delimiter: 'windows' })}`, `${name}.csv`);
  }

  /** So many times the same row. Answers the path. */
  many(rows: number, row: StatementRow): string {
    const path = this.csv([row]);
    const [header, line] = readFileSync(path, 'utf8').split('\r\n') as [string, string];
    writeFileSync(path, `${header}\r\n${`${line}\r\n`.repeat(rows)}`);
    return path;
  }

  /** Any bytes. Answers the path. */
  text(text: string | Buffer, name: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }
}
