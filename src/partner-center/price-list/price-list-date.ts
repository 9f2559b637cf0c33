import { BLANKS, type DateOrder, instantOf } from '../files/dates.js';

/** `2021-10-01T00:00:00.0000000Z`: seven digits of a second. */
const ISO = /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,7}))?Z$/;
/** `2/1/2023 0:00`: what a spreadsheet makes of it. */
const CLOCK_24 = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) ([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
/** `2/4/2021 8:35:31 PM`. */
const CLOCK_12 = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (0?[1-9]|1[0-2]):([0-5]\d)(?::([0-5]\d))? ([AP])M$/i;

/**
 * Reads an instant in any of the three spellings that price lists use, all of them UTC.
 * Digits below the millisecond are cut off.
 * @param order null where it is not known
 * @returns null for another spelling or a day that does not exist
 */
export function parsePriceListDate(
  written: string,
  order: DateOrder | null = 'month-first',
): Date | null | 'ambiguous' {
  const text = written.replace(BLANKS, ' ');
  if (order === null && SLASHES.test(text)) {
    const told = orderTold(text);
    const [first, second] = numbersOf(text);
    const isEither = told === null && first !== second && Math.max(first, second) <= 12;
    return isEither ? 'ambiguous' : parsePriceListDate(text, told ?? 'month-first');
  }
  const iso = ISO.exec(text);
  if (iso) return instantOf(iso[1], iso[2], iso[3], iso[4], iso[5], iso[6], (iso[7] ?? '').padEnd(3, '0').slice(0, 3));
  const [month, dayOfMonth] = order === 'day-first' ? [2, 1] : [1, 2];
  const day = CLOCK_24.exec(text);
  if (day) return instantOf(day[3], day[month], day[dayOfMonth], day[4], day[5], day[6]);
  const half = CLOCK_12.exec(text);
  if (half)
    return instantOf(
      half[3],
      half[month],
      half[dayOfMonth],
      (Number(half[4]) % 12) + (half[7]?.toUpperCase() === 'P' ? 12 : 0),
      half[5],
      half[6],
    );
  return null;
}

/**
 * The order that a date tells by itself: `11/30/9999`, and Partner Center's own spelling with seconds and AM or PM, which
 * has the month first. Null where it can be read both ways or is none.
 */
export function orderTold(written: string): DateOrder | null {
  const text = written.replace(BLANKS, ' ');
  if (!SLASHES.test(text)) return null;
  if (OWN_SPELLING.test(text)) return 'month-first';
  const [first, second] = numbersOf(text);
  if (second > 12 && first <= 12) return 'month-first';
  return first > 12 && second <= 12 ? 'day-first' : null;
}

const OWN_SPELLING = /:\d\d:\d\d [AP]M$/i;
const SLASHES = /^\d{1,2}\/\d{1,2}\/\d{4} /;
const numbersOf = (text: string) => text.split('/', 2).map(Number) as [number, number];
