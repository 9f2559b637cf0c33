import { DateTime } from 'luxon';
import { RefundType } from '../../domain/product-kind.js';
import {
  parseExpiresAfter,
  type RefundOption,
  RefundOptionType,
  type SoldRefundOption,
} from '../../domain/refund-option.js';

/**
 * The last instant at which an option holds, inclusive (rule 13). Days are calendar days: 23:59:00Z on the UTC date of
 * purchase plus the days, as the samples in Partner Center's documentation have it. Hours are counted to the millisecond.
 * @param expiresAfter `P30D` or `PT24H`
 */
export function expiryOf(placedAt: Date, expiresAfter: string): Date {
  const { days, hours } = parseExpiresAfter(expiresAfter);
  if (days === null) return new Date(placedAt.getTime() + hours * 3_600_000);
  const day = DateTime.fromJSDate(placedAt, { zone: 'utc' }).startOf('day');
  return day.plus({ days }).set({ hour: 23, minute: 59 }).toJSDate();
}

/** The options of a policy as an order line keeps them, whatever becomes of the policy. */
export function freezeOptions(options: readonly RefundOption[], placedAt: Date): SoldRefundOption[] {
  return options.map(({ sequence, type, expiresAfter }) => ({
    sequence,
    type,
    expiresAt: expiryOf(placedAt, expiresAfter).toISOString(),
  }));
}

/** The option that holds at an instant: the first that is not over. Undefined where all are, or there are none. */
export function optionAt(options: readonly SoldRefundOption[], at: Date): SoldRefundOption | undefined {
  return options.find(({ expiresAt }) => at.getTime() <= Date.parse(expiresAt));
}

/** How the credit of a line is computed at an instant: by the option that holds. */
export function refundTypeAt(options: readonly SoldRefundOption[], at: Date): RefundType {
  return optionAt(options, at)?.type === RefundOptionType.PARTIAL ? RefundType.PRORATED : RefundType.FULL;
}

/** When the last option is over, inclusive; null where there are none. */
export function lastExpiry(options: readonly SoldRefundOption[]): Date | null {
  const instants = options.map(({ expiresAt }) => Date.parse(expiresAt));
  return instants.length > 0 ? new Date(Math.max(...instants)) : null;
}

/** Whole days left until `until`, today counting as 0; negative once it is past. */
export function daysLeft(until: Date, now: Date): number {
  if (now > until) return Math.floor((until.getTime() - now.getTime()) / 86_400_000);
  const day = (instant: Date) => DateTime.fromJSDate(instant, { zone: 'utc' }).startOf('day');
  return Math.round(day(until).diff(day(now), 'days').days);
}
