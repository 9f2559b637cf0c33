import { DateTime } from 'luxon';

/** `2021-10-01T00:00:00.0000000Z`: seven digits of a second. */
const ISO = /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,7}))?Z$/;
/** `2/1/2023 0:00`: what a spreadsheet makes of it. Month first, as in the United States. */
const CLOCK_24 = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) ([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
/** `2/4/2021 8:35:31 PM`. */
const CLOCK_12 = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (0?[1-9]|1[0-2]):([0-5]\d)(?::([0-5]\d))? ([AP])M$/i;

/**
 * Reads an instant in any of the three spellings that price lists use, all of them UTC.
 * Digits below the millisecond are cut off.
 * @returns null for another spelling or a day that does not exist
 */
export function parsePriceListDate(text: string): Date | null {
  const iso = ISO.exec(text);
  if (iso) return instant(iso[1], iso[2], iso[3], iso[4], iso[5], iso[6], (iso[7] ?? '').padEnd(3, '0').slice(0, 3));
  const day = CLOCK_24.exec(text);
  if (day) return instant(day[3], day[1], day[2], day[4], day[5], day[6]);
  const half = CLOCK_12.exec(text);
  if (half)
    return instant(
      half[3],
      half[1],
      half[2],
      (Number(half[4]) % 12) + (half[7]?.toUpperCase() === 'P' ? 12 : 0),
      half[5],
      half[6],
    );
  return null;
}

type Digits = string | number | undefined;

function instant(
  year: Digits,
  month: Digits,
  day: Digits,
  hour: Digits,
  minute: Digits,
  second: Digits = 0,
  millisecond: Digits = 0,
): Date | null {
  const at = DateTime.utc(
    Number(year),
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(millisecond),
  );
  return at.isValid && at.year > 0 ? at.toJSDate() : null;
}
