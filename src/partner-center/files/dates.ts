import { DateTime } from 'luxon';

/** Which of the first two numbers of a date is the month: Partner Center has it first in English, most languages the day. */
export type DateOrder = 'month-first' | 'day-first';

/** What spreadsheets and newer libraries of languages put before AM and PM: a blank that is narrow or does not break. */
export const BLANKS = /[\u00a0\u202f]/g;

type Digits = string | number | undefined;

/** The instant in UTC; null for a day that does not exist. */
export function instantOf(
  year: Digits,
  month: Digits,
  day: Digits,
  hour: Digits = 0,
  minute: Digits = 0,
  second: Digits = 0,
  millisecond: Digits = 0,
): Date | null {
  const [y, ...rest] = [year, month, day, hour, minute, second, millisecond].map(Number);
  const at = DateTime.utc(y as number, ...(rest as [number, number, number, number, number, number]));
  return at.isValid && at.year > 0 ? at.toJSDate() : null;
}

/** `2026-10-03`, with slashes or points, and whatever time of the day: the year tells which number is which. */
const YEAR_FIRST = /^(\d{4})([-/.]) ?(\d{1,2})\2 ?(\d{1,2})\.?(?:[T ](.*))?$/;
/** `10/3/2026`, `03.10.2026`, `3-10-2026`. */
const YEAR_LAST = /^(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4})(?:,? (.*))?$/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)? ?(?:([AP])M)?(?:Z|\+00:?00)?$/i;

/**
 * Reads a date of a reconciliation file, with or without a time, which is taken as UTC.
 * @param order null where nobody has told it: only what can be read in one way is read then
 * @returns null for what is none, or a day that does not exist
 */
export function parseDate(written: string, order: DateOrder | null): Date | null {
  const text = written.replace(BLANKS, ' ').trim();
  const iso = YEAR_FIRST.exec(text);
  if (iso) return withTime([iso[1], iso[3], iso[4]], iso[5]);
  const parts = YEAR_LAST.exec(text);
  if (!parts) return null;
  const [first, second] = [parts[1], parts[3]];
  const read = order ?? orderOf(text) ?? (first === second ? 'month-first' : null);
  if (read === null) return null;
  return withTime(read === 'month-first' ? [parts[4], first, second] : [parts[4], second, first], parts[5]);
}

/** The order that a date tells by itself, as `11/30/2026` does; null where it can be read both ways, or in no order. */
export function orderOf(written: string): DateOrder | null {
  const parts = YEAR_LAST.exec(written.replace(BLANKS, ' ').trim());
  if (!parts) return null;
  const [first, second] = [Number(parts[1]), Number(parts[3])];
  if (second > 12 && first <= 12) return 'month-first';
  return first > 12 && second <= 12 ? 'day-first' : null;
}

/** Whether a date reads as another day in each order: `10/3/2026`, but neither `10/10/2026` nor `2026-10-03`. */
export function isAmbiguousDate(written: string): boolean {
  const parts = YEAR_LAST.exec(written.replace(BLANKS, ' ').trim());
  return parts !== null && orderOf(written) === null && Number(parts[1]) !== Number(parts[3]);
}

function withTime([year, month, day]: [Digits, Digits, Digits], time: string | undefined): Date | null {
  if (!time) return instantOf(year, month, day);
  const clock = TIME.exec(time.trim());
  if (!clock) return null;
  const [, hour, minute, second, fraction = '', half] = clock;
  if (half && (Number(hour) < 1 || Number(hour) > 12)) return null;
  const hours = half ? (Number(hour) % 12) + (half.toUpperCase() === 'P' ? 12 : 0) : hour;
  return instantOf(year, month, day, hours, minute, second, fraction.padEnd(3, '0').slice(0, 3));
}
