import { sum } from '../../domain/money.js';
import type { Problem } from '../../domain/problem.js';
import type { RefundType } from '../../domain/product-kind.js';
import { REFUND_TOPIC } from '../../domain/support-topics.js';
import type { FoundOrder } from '../orders/find-order.js';
import { OrderLineStatus } from '../orders/order-status.js';
import { refundTypeAt } from '../orders/refund-options.js';
import type { SoldLine } from '../orders/sold-line.js';
import {
  AlreadyCancelled,
  CancellationPending,
  CancellationWindowClosed,
  NothingToGiveBack,
  OrderLineNotFound,
  OrderPending,
  OrderRefused,
  ProductNotCancellable,
  SupportRequestRequired,
} from './cancellation-problems.js';
import { creditFor, type LineCredit } from './credit.js';

/** The credit of one line in a cancellation that is allowed. */
export interface AssessedLine extends LineCredit {
  line: SoldLine;
}

/** What cancelling gives back. */
export interface Assessment {
  lines: AssessedLine[];
  credit: string;
  currency: string;
  /** The earliest of the lines' windows, inclusive. */
  cancellableUntil: Date;
}

/** The lines that a cancellation is about: those named, or all of the order that are not cancelled yet (rule 15). */
export function chooseLines(lines: SoldLine[], lineNumbers: number[] | null): SoldLine[] | Problem {
  if (lineNumbers === null) {
    const standing = lines.filter((line) => line.status !== OrderLineStatus.CANCELLED);
    // What the provider refused of an order is none of it, unless it refused all.
    const confirmed = standing.filter((line) => line.status !== OrderLineStatus.REFUSED);
    if (confirmed.length > 0 || lines.length === 0) return confirmed;
    return standing.length === lines.length ? standing : new AlreadyCancelled(lines.map((line) => line.lineNumber));
  }
  const missing = lineNumbers.filter((number) => !lines.some((line) => line.lineNumber === number));
  if (missing.length > 0) return new OrderLineNotFound(missing);
  return lines.filter((line) => lineNumbers.includes(line.lineNumber));
}

/**
 * Whether lines may be cancelled at an instant, and what that gives back (rules 13 to 16 and 20). The same judgement
 * serves the quote and the cancellation, so they cannot disagree. Precedence is the order of the guards.
 */
export function assess(order: FoundOrder, lines: SoldLine[], at: Date): Assessment | Problem {
  const status = assessStatus(lines);
  if (status) return status;
  const numbersWhere = (applies: (line: SoldLine) => boolean) => lines.filter(applies).map((line) => line.lineNumber);

  const bySupport = lines.filter((line) => line.supportRequestRequired);
  if (bySupport.length > 0) {
    const numbers = bySupport.map((line) => line.lineNumber);
    return new SupportRequestRequired(numbers, draftFor(order, bySupport));
  }
  const never = numbersWhere((line) => !line.cancellableUntil);
  if (never.length > 0) return new ProductNotCancellable(never);
  const windows = lines.map((line) => line.cancellableUntil as Date).sort((a, b) => a.getTime() - b.getTime());
  const closed = numbersWhere((line) => (line.cancellableUntil as Date) < at);
  if (closed.length > 0) return new CancellationWindowClosed(closed, windows[0] as Date);

  const assessed = lines.map((line) => ({ line, ...creditFor(creditable(line, at), order.currency, at) }));
  const usedUp = assessed.filter(({ unusedDays }) => unusedDays === 0).map(({ line }) => line);
  if (usedUp.length > 0) return new NothingToGiveBack(usedUp);
  return {
    lines: assessed,
    credit: sum(
      assessed.map((line) => line.credit),
      order.currency,
    ),
    currency: order.currency,
    cancellableUntil: windows[0] as Date,
  };
}

/** The guards that hold whatever a quote says: a line is cancelled once (rule 19). */
export function assessStatus(lines: SoldLine[]): Problem | null {
  const numbersIn = (status: OrderLineStatus) =>
    lines.filter((line) => line.status === status).map((line) => line.lineNumber);
  const cancelled = numbersIn(OrderLineStatus.CANCELLED);
  if (cancelled.length > 0) return new AlreadyCancelled(cancelled);
  const refused = numbersIn(OrderLineStatus.REFUSED);
  if (refused.length > 0) return new OrderRefused(refused);
  const unconfirmed = numbersIn(OrderLineStatus.PENDING);
  if (unconfirmed.length > 0) return new OrderPending(unconfirmed);
  const pending = numbersIn(OrderLineStatus.CANCELLATION_PENDING);
  return pending.length > 0 ? new CancellationPending(pending) : null;
}

/** How the credit of all lines came about. */
export function creditRule(lines: { refundType: RefundType }[]): 'FULL' | 'PRORATED' | 'MIXED' {
  const [first] = lines;
  return first && lines.every((line) => line.refundType === first.refundType) ? first.refundType : 'MIXED';
}

/** A line as the refund option that holds at an instant gives it back. */
function creditable(line: SoldLine, at: Date) {
  return {
    unitPrice: line.unitPrice,
    quantity: line.quantity,
    refundType: refundTypeAt(line.refundOptions, at),
    term: line.termStart && line.termEnd ? { start: line.termStart, end: line.termEnd } : null,
  };
}

function draftFor(order: FoundOrder, lines: SoldLine[]) {
  return {
    topic: REFUND_TOPIC,
    title: `Cancel order ${order.number}`,
    description: `Tenant: ${order.customer.tenantId} (${order.customer.domain})\nOrder: ${order.number}\nLines: ${lines.map((line) => `${line.lineNumber} ${line.sku.title}`).join('; ')}\nReason for the refund: \nAmount requested: `,
  };
}
