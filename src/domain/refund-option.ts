/** How much is given back while a refund option holds, in the words of Partner Center's catalog. */
export const RefundOptionType = {
  /** All of the price. */
  FULL: 'FULL',
  /** The unused days of the term. */
  PARTIAL: 'PARTIAL',
} as const;
export type RefundOptionType = (typeof RefundOptionType)[keyof typeof RefundOptionType];

/** One refund option of a cancellation policy. Of several the first in order of `sequence` holds that is not over. */
export interface RefundOption {
  sequence: number;
  type: RefundOptionType;
  /** How long after the purchase: calendar days in UTC (`P30D`), or hours to the millisecond (`PT24H`). */
  expiresAfter: string;
}

/** A refund option of an order line: frozen at the sale, with the instant until which it holds, inclusive. */
export interface SoldRefundOption {
  sequence: number;
  type: RefundOptionType;
  /** ISO 8601 in UTC, with milliseconds. */
  expiresAt: string;
}

/** What a sale is judged by when it is to be cancelled. Without options it never can be, or by support alone. */
export interface CancellationTerms {
  /** In order of `sequence`; each ends later than the one before. */
  refundOptions: RefundOption[];
  supportRequestRequired: boolean;
}

/** The forms of `expiresAfter`: days or hours, without a zero in front. */
export const EXPIRES_AFTER = /^(?:P(0|[1-9]\d{0,3})D|PT([1-9]\d{0,4})H)$/;

/**
 * The days and hours of an `expiresAfter`; one of the two is null.
 * @throws where it is neither
 */
export function parseExpiresAfter(expiresAfter: string): { days: number; hours: null } | { days: null; hours: number } {
  const [, days, hours] = EXPIRES_AFTER.exec(expiresAfter) ?? [];
  if (days !== undefined) return { days: Number(days), hours: null };
  if (hours !== undefined) return { days: null, hours: Number(hours) };
  throw new Error(`${expiresAfter} is neither days such as P30D nor hours such as PT24H`);
}
