import { DateTime } from 'luxon';

/** First and last day, inclusive, as `YYYY-MM-DD`; null for perpetual software, and where no day is left. */
export interface ChargedPeriod {
  chargeStart: string | null;
  chargeEnd: string | null;
}

/**
 * The days that a credit gives back: the last `unusedDays` of the term, all of it for a full refund (rule 16).
 * @param unusedDays null for a full refund
 */
export function creditedPeriod(
  { termStart, termEnd }: { termStart?: string | null; termEnd?: string | null },
  unusedDays: number | null,
): ChargedPeriod {
  if (!termStart || !termEnd || unusedDays === 0) return { chargeStart: null, chargeEnd: null };
  if (unusedDays === null) return { chargeStart: termStart, chargeEnd: termEnd };
  const first = DateTime.fromISO(termEnd, { zone: 'utc' }).minus({ days: unusedDays - 1 });
  return { chargeStart: first.toISODate(), chargeEnd: termEnd };
}
