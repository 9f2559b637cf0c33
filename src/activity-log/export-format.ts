import { stringify } from 'csv-stringify/sync';
import type { ExportedEntry } from './export-entries.js';

/** Formats of an export. */
export const exportFormats = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** An entry with the cursor after which a subscription continues. */
export type ExportedLine = ExportedEntry & { cursor: string };

const csvColumns: readonly (keyof ExportedLine)[] = [
  'at',
  'action',
  'outcome',
  'actor',
  'actorRole',
  'application',
  'actorIssuer',
  'actorTenantId',
  'actorObjectId',
  'customer',
  'resourceType',
  'resourceId',
  'resourceLabel',
  'productIds',
  'correlationId',
  'id',
  'customerId',
  'orderId',
  'detail',
  'position',
  'cursor',
];

/** What an export begins with. */
export function headOf(format: ExportFormat): string {
  return format === 'csv' ? stringify([csvColumns as string[]]) : '';
}

/** An entry as text. In CSV, cells that a spreadsheet would run as a formula are made text by a leading apostrophe. */
export function lineOf(format: ExportFormat, entry: ExportedLine): string {
  if (format === 'jsonl') return jsonLine(entry);
  return stringify([csvColumns.map((column) => cellOf(entry[column]))], { escape_formulas: true });
}

/** `detail` comes last and as PostgreSQL wrote it: its numbers keep every digit, and the line can be checked by itself. */
function jsonLine({ detail, cursor, ...rest }: ExportedLine): string {
  return `${JSON.stringify({ cursor, ...rest }).slice(0, -1)},"detail":${detail}}\n`;
}

/** Formula signs after blanks or a line break too, which csv-stringify lets pass and some spreadsheets trim. */
function cellOf(value: string | string[] | null): string | null {
  const text = Array.isArray(value) ? value.join(' ') : value;
  return text !== null && /^(?:\n|\s+[=+\-@＝＋－＠|%])/u.test(text) && !/^[\t\r]/.test(text) ? `'${text}` : text;
}
