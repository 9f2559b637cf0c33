import { DateTime, Duration } from 'luxon';

/** A paid term: first and last calendar day, inclusive, as `YYYY-MM-DD` in UTC. */
export interface Term {
  start: string;
  end: string;
}

/** The term that starts on the UTC day of purchase and lasts `duration` (ISO 8601): P1Y from 14 September ends on the 13th. */
export function termOf(placedAt: Date, duration: string): Term {
  const start = DateTime.fromJSDate(placedAt, { zone: 'utc' }).startOf('day');
  const end = start.plus(Duration.fromISO(duration)).minus({ days: 1 });
  return { start: start.toISODate() as string, end: end.toISODate() as string };
}

/** How long a term is, as `termOf` is told it: P1M, P3Y. */
export function durationOf({ start, end }: Term): string {
  const [from, until] = [start, end].map((day) => DateTime.fromISO(day, { zone: 'utc' })) as [DateTime, DateTime];
  const months = Math.round(until.plus({ days: 1 }).diff(from, 'months').months);
  return months % 12 === 0 ? `P${months / 12}Y` : `P${months}M`;
}

/** Days of a term, both ends counted: 2021-09-14 to 2024-09-13 has 1,096. */
export function daysIn(term: Term): number {
  return (
    DateTime.fromISO(term.end, { zone: 'utc' }).diff(DateTime.fromISO(term.start, { zone: 'utc' }), 'days').days + 1
  );
}

/** Days of a term that are not used when it is cancelled at `at`: the day of cancelling counts as unused (rule 16). */
export function unusedDays(term: Term, at: Date): number {
  const today = DateTime.fromJSDate(at, { zone: 'utc' }).startOf('day');
  const rest = DateTime.fromISO(term.end, { zone: 'utc' }).diff(today, 'days').days + 1;
  return Math.min(Math.max(rest, 0), daysIn(term));
}

/** The instant at which a term is over: midnight UTC after its last day. */
export function endOf(term: Term): Date {
  return DateTime.fromISO(term.end, { zone: 'utc' }).plus({ days: 1 }).toJSDate();
}
