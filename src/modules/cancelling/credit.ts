import { formatAmount, prorate, times } from '../../domain/money.js';
import { RefundType } from '../../domain/product-kind.js';
import { daysIn, type Term, unusedDays } from '../orders/term.js';

/** What a line gives back, with its arithmetic. Amounts are decimal strings in the order's currency. */
export interface LineCredit {
  refundType: RefundType;
  unitCredit: string;
  credit: string;
  /** Days of the paid term and how many are unused; null for a full refund. */
  termDays: number | null;
  unusedDays: number | null;
}

/** What the arithmetic needs of a line. */
export interface CreditableLine {
  unitPrice: string;
  quantity: number;
  refundType: RefundType;
  term: Term | null;
}

/**
 * The credit of cancelling a line at `at` (rule 16). Full: the price. Prorated: unit price by unused days, cut to the
 * currency's minor unit, then times quantity: 10 at 10.08 from 15 July for a month, cancelled on 17 July, is
 * 10.08 / 31 × 29 = 9.4296, cut to 9.42, times 10 = 94.20. Where no day is used nothing is cut, so that never less is
 * given back than was taken: lines that were sold before prices were cut may cost what is finer than the minor unit.
 */
export function creditFor(line: CreditableLine, currency: string, at: Date): LineCredit {
  if (line.refundType === RefundType.FULL || line.term === null) {
    const unitCredit = formatAmount(line.unitPrice, currency);
    return {
      refundType: RefundType.FULL,
      unitCredit,
      credit: times(unitCredit, line.quantity, currency),
      termDays: null,
      unusedDays: null,
    };
  }
  const termDays = daysIn(line.term);
  const unused = unusedDays(line.term, at);
  const unitCredit =
    unused === termDays ? formatAmount(line.unitPrice, currency) : prorate(line.unitPrice, unused, termDays, currency);
  return {
    refundType: RefundType.PRORATED,
    unitCredit,
    credit: times(unitCredit, line.quantity, currency),
    termDays,
    unusedDays: unused,
  };
}
