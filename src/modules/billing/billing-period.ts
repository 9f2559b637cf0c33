import { DateTime } from 'luxon';

/** The calendar month in UTC that an instant is billed in: first and last day as `YYYY-MM-DD`. */
export function billingPeriodOf(instant: Date): { start: string; end: string } {
  const day = DateTime.fromJSDate(instant, { zone: 'utc' });
  return { start: day.startOf('month').toISODate() as string, end: day.endOf('month').toISODate() as string };
}
