import { Decimal as RoundingDecimal } from 'decimal.js';
import { isCurrency } from '../../domain/currencies.js';
import { type DateOrder, isAmbiguousDate, parseDate } from '../files/dates.js';
import { type DecimalMark, isAmbiguousDecimal, parseDecimal } from '../files/decimals.js';
import { InvalidCell } from '../files/invalid-cell.js';

/** Exact for every amount: the default of 20 digits would round the largest. */
const Decimal = RoundingDecimal.clone({ precision: 60 });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** `1.23457E+15`: an id of digits as a spreadsheet shows it. Twelve hexadecimal digits with an E among them have no plus. */
const EXPONENT = /^-?\d(?:[.,]\d+)?E\+\d+$/i;
/** `1234567890123450000`: a spreadsheet keeps 15 digits and writes noughts for the others. */
const CUT_DIGITS = /^\d{15}0+$/;
/** `#####`, `#N/A`, `#NAME?`. */
const SHEET_ERROR = /^#+(?:[A-Z/0]+[!?]?)?$/;
/** Days since 1900, of 1982 to 2064. */
const SHEET_DAY = /^[3-5]\d{4}(?:[.,]\d+)?$/;
/** What text in PostgreSQL cannot hold, or a terminal should not be sent. */
const CONTROL_CHARACTER = /[^\P{Cc}\t\n\r]/u;
const LONGEST_ID = 200;

/** What a cell shows that a spreadsheet could not show itself; null where it is no such thing. */
export function ruinOf(text: string): InvalidCell | null {
  return SHEET_ERROR.test(text)
    ? new InvalidCell('is what a spreadsheet shows in the place of a value; download the file again')
    : null;
}

/** An id as it is written; null where there is none. */
export function idOf(text: string): string | null | InvalidCell {
  if (text === '') return null;
  if (EXPONENT.test(text) || CUT_DIGITS.test(text))
    return new InvalidCell(
      'is an id that a spreadsheet has taken for a number: its last digits are lost. Download the file again and do not save it in one',
    );
  if (CONTROL_CHARACTER.test(text)) return new InvalidCell('holds a control character');
  return text.length > LONGEST_ID ? new InvalidCell(`is longer than ${LONGEST_ID} characters`) : text;
}

/** A customer's tenant id. */
export function tenantIdOf(text: string): string | InvalidCell {
  const id = text.toLowerCase();
  return UUID.test(id)
    ? id
    : new InvalidCell('must be the tenant id of a customer such as 1a2b3c4d-0000-4000-8000-000000000001');
}

/** A currency, by its ISO 4217 code. */
export function currencyOf(text: string): string | InvalidCell {
  const code = text.toUpperCase();
  return isCurrency(code) ? code : new InvalidCell('must be a currency by its three letters (ISO 4217) such as USD');
}

/** A number, as a decimal string. */
export function decimalOf(text: string, mark: DecimalMark | null): string | InvalidCell {
  if (text === '') return new InvalidCell('is blank');
  const read = parseDecimal(text, mark);
  if (read !== null) return read;
  if (isAmbiguousDecimal(text) && mark === null)
    return new InvalidCell('can be read in two ways; say which with --decimals point or comma');
  return new InvalidCell(`must be digits with a decimal ${mark ?? 'point'}, as in the rest of the file`);
}

/** An instant, or none, in ISO 8601 and UTC. */
export function instantOf(text: string, order: DateOrder | null): string | null | InvalidCell {
  if (text === '') return null;
  const read = parseDate(text, order);
  if (read) return read.toISOString();
  if (SHEET_DAY.test(text))
    return new InvalidCell('is the number that a spreadsheet keeps in the place of a day; download the file again');
  if (isAmbiguousDate(text) && order === null)
    return new InvalidCell('can be read in two ways; say which with --dates month-first or day-first');
  return new InvalidCell(`must be an existing day such as 10/31/2026 or 2026-10-31${order ? ` (${order})` : ''}`);
}

/** The first less the others, exactly. */
export function minus(amount: string, ...others: string[]): string {
  return others.reduce((rest, other) => rest.minus(other), new Decimal(amount)).toFixed();
}

/** Whether an amount is a hundredth or less, whatever its sign. */
export function isWithinCent(amount: string): boolean {
  return new Decimal(amount).abs().lte('0.01');
}
