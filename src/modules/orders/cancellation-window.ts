import { DateTime } from 'luxon';

/**
 * The last instant at which a line may be cancelled, inclusive: 23:59:00Z on the UTC date of purchase plus the
 * SKU's days (rule 13; the samples in Partner Center's documentation agree).
 */
export function cancellableUntil(placedAt: Date, windowDays: number): Date {
  return DateTime.fromJSDate(placedAt, { zone: 'utc' })
    .startOf('day')
    .plus({ days: windowDays })
    .set({ hour: 23, minute: 59 })
    .toJSDate();
}

/** Whole days left until `until`, today counting as 0; negative once it is past. */
export function daysLeft(until: Date, now: Date): number {
  if (now > until) return Math.floor((until.getTime() - now.getTime()) / 86_400_000);
  const day = (instant: Date) => DateTime.fromJSDate(instant, { zone: 'utc' }).startOf('day');
  return Math.round(day(until).diff(day(now), 'days').days);
}
