import { DateTime } from 'luxon';

/** The first day, as `YYYY-MM-DD`, of the calendar month in UTC in which an instant lies. */
export const monthOf = (instant: Date): string =>
  DateTime.fromJSDate(instant, { zone: 'utc' }).startOf('month').toISODate() as string;

/** The last day, as `YYYY-MM-DD`, of the month that begins on a day. */
export const lastDayOf = (month: string): string =>
  DateTime.fromISO(month, { zone: 'utc' }).endOf('month').toISODate() as string;

/** The first day of the next month. */
export const monthAfter = (month: string): string =>
  DateTime.fromISO(month, { zone: 'utc' }).plus({ months: 1 }).toISODate() as string;
