import { stringify } from 'csv-stringify/sync';
import { RECONCILIATION_COLUMNS } from './columns.js';
import type { ReconciliationCells } from './read-lines.js';

/** A day, `YYYY-MM-DD`, as the file has it in English: `10/31/2026`. Null is blank. */
export function inEnglish(day: string | null): string {
  if (day === null) return '';
  const [year, month, date] = day.split('-').map(Number);
  return `${month}/${date}/${year}`;
}

const NUMBERS = ['', 'One', 'Two', 'Three', 'Four', 'Five'];
const UNITS: Readonly<Record<string, string>> = { M: 'Month', Y: 'Year' };

/** What TermAndBillingCycle says of a term (ISO 8601 duration); blank for perpetual software. */
export function termText(duration: string | null, isReservation: boolean): string {
  const [, count = '', unit = ''] = /^P(\d+)([MY])$/.exec(duration ?? '') ?? [];
  if (count === '') return '';
  return `${NUMBERS[Number(count)] ?? count}-${UNITS[unit]} ${isReservation ? 'Reservation' : 'Subscription'}`;
}

const format = (rows: readonly (readonly string[])[]): string =>
  stringify(rows as string[][], { record_delimiter: 'windows' });

/** How the file begins: a byte order mark and the names of all its columns, in Microsoft's order. */
export const header = (): string => `\ufeff${format([RECONCILIATION_COLUMNS])}`;

/** Rows as the file has them: quotes only where needed, CRLF. */
export const rowsText = (rows: readonly ReconciliationCells[]): string =>
  format(rows.map((cells) => RECONCILIATION_COLUMNS.map((column) => cells[column] ?? '')));
