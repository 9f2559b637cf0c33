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

/** Excel takes a file for UTF-8 by its first bytes only, and reads "MÃ¼ller" otherwise. */
const BYTE_ORDER_MARK = '\uFEFF';

/** What an export begins with. */
export function headOf(format: ExportFormat): string {
  return format === 'csv' ? `${BYTE_ORDER_MARK}${csvLine(csvColumns)}` : '';
}

/** An entry as text: JSON is the exact form, CSV the one for spreadsheets. */
export function lineOf(format: ExportFormat, entry: ExportedLine): string {
  return format === 'jsonl' ? jsonLine(entry) : csvLine(csvColumns.map((column) => cellOf(entry[column])));
}

/** RFC 4180. */
function csvLine(cells: readonly (string | null)[]): string {
  // A line break by itself is none of the delimiter, and csv-stringify would leave it without quotes.
  return stringify([[...cells]], { record_delimiter: 'windows', quoted_match: /[\r\n]/ });
}

/** `detail` comes last and as PostgreSQL wrote it: its numbers keep every digit, and the line can be checked by itself. */
function jsonLine({ detail, cursor, ...rest }: ExportedLine): string {
  return `${JSON.stringify({ cursor, ...rest }).slice(0, -1)},"detail":${detail}}\n`;
}

/** What spreadsheets run: some trim blanks before it, or take the signs of East Asian width. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠|%])/u;
/** What they make numbers, times or fractions of, with an exponent or a currency too: `814430661e97`, `0042`, `12.30`, `1-2`. */
const NUMBER = /^[\s\p{Nd}\p{Sc}.,:/\-+'’%()]*(?:e[+-]?\p{Nd}+|[ap]\.?m?\.?)?\s*$/iu;
/** What they make days of: `MAR1`, `1-Sept`, `Dec 2025`. */
const DAY =
  /^\s*(?:\d{1,4}[-/.,\s]*)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/.,\s]*(?:\d{1,4}(?:[-/.,\s]+\d{1,4})?)?\s*$/i;
const TRUTH = /^\s*(?:true|false)\s*$/i;
/** Texts above that are nothing but text to spreadsheets; the expressions above would take the square of their length. */
const CONVERTED_CHARACTERS = 255;

/**
 * A cell as spreadsheets leave it. What they would run, or make something else of, is made text by a leading apostrophe;
 * so is what has one, so that taking one away from each cell that begins with it gives every text exactly.
 */
function cellOf(value: string | string[] | null): string | null {
  const text = Array.isArray(value) ? value.join(' ') : value;
  if (text === null) return null;
  return isConverted(text) || FORMULA.test(text) || text.startsWith("'") ? `'${text}` : text;
}

function isConverted(text: string): boolean {
  if (text.length > CONVERTED_CHARACTERS) return false;
  return /\p{Nd}/u.test(text) ? NUMBER.test(text) || DAY.test(text) : TRUTH.test(text);
}
