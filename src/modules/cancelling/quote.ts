import { Decimal } from 'decimal.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { formatAmount, sum } from '../../domain/money.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import type { Signer } from '../../lib/signing.js';
import { type FoundOrder, findOrderWithLines } from '../orders/find-order.js';
import { daysLeft } from '../orders/refund-options.js';
import type { SoldLine } from '../orders/sold-line.js';
import { type Assessment, assess, assessStatus, chooseLines } from './assess-cancellation.js';
import { cancelOrderAccess } from './cancel-order.access.js';
import { QuoteExpired, QuoteNotApplicable } from './cancellation-problems.js';
import type { LineCredit } from './credit.js';

/** Rule 14: how long a quote is honoured, at least: tokens expire on whole seconds. */
const QUOTE_SECONDS = 15 * 60;

/** What `cancelOrder` would do now (rule 14). */
export interface Quote {
  problem: Problem | null;
  assessment: Assessment | null;
  /** The lines that it is about; none where there are no such lines. */
  lines: SoldLine[];
  daysLeft: number | null;
  cancellableUntil: Date | null;
  quoteToken: string | null;
  expiresAt: Date | null;
}

/** The claims of a quote token: what was assessed, by line number. */
interface QuoteClaims {
  orderId: string;
  /** Line number and its credit. */
  lines: [number, LineCredit][];
}

/** The quote for cancelling lines of an order; null for an order that is missing or not the viewer's. */
export async function quoteCancellation(
  unit: UnitOfWork,
  signer: Signer,
  orderId: string,
  lineNumbers: number[] | null,
): Promise<Quote | null> {
  const { em, viewer, now } = unit;
  const found = await findOrderWithLines(em, viewer, orderId, cancelOrderAccess['Query.cancellationQuote']);
  if (!found) return null;
  const { order } = found;
  const lines = chooseLines(found.lines, lineNumbers);
  const assessment = isProblem(lines) ? lines : assess(order, lines, now);
  if (isProblem(lines) || isProblem(assessment)) {
    const until = isProblem(lines) ? null : earliest(lines);
    return {
      problem: assessment as Problem,
      assessment: null,
      lines: isProblem(lines) ? [] : lines,
      daysLeft: until ? Math.max(daysLeft(until, now), 0) : null,
      cancellableUntil: until,
      quoteToken: null,
      expiresAt: null,
    };
  }
  const expiresAt = new Date((Math.ceil(now.getTime() / 1_000) + QUOTE_SECONDS) * 1_000);
  const claims: QuoteClaims = {
    orderId,
    lines: assessment.lines.map(({ line, ...credit }) => [line.lineNumber, credit]),
  };
  return {
    problem: null,
    assessment,
    lines,
    daysLeft: daysLeft(assessment.cancellableUntil, now),
    cancellableUntil: assessment.cancellableUntil,
    quoteToken: await signer.sign('quote', { ...claims }, expiresAt),
    expiresAt,
  };
}

/** What a quote promised, for lines that still stand: to the cent, even if the window has closed since (rule 14). */
export async function honourQuote(
  signer: Signer,
  quoteToken: string,
  order: FoundOrder,
  lines: SoldLine[],
  now: Date,
): Promise<Assessment | Problem> {
  const claims = await signer.verify('quote', quoteToken, now);
  if (claims === 'expired') return new QuoteExpired();
  if (claims === 'invalid') return new QuoteNotApplicable();
  const quoted = new Map((claims as unknown as QuoteClaims).lines);
  const sameLines = quoted.size === lines.length && lines.every((line) => quoted.has(line.lineNumber));
  if (claims['orderId'] !== order.id || !sameLines) return new QuoteNotApplicable();
  const status = assessStatus(lines);
  if (status) return status;
  const assessed = lines.map((line) => ({ line, ...(quoted.get(line.lineNumber) as LineCredit) }));
  return {
    lines: assessed,
    credit: sum(
      assessed.map((line) => line.credit),
      order.currency,
    ),
    currency: order.currency,
    cancellableUntil: earliest(lines) as Date,
  };
}

/** The arithmetic of a line's credit, for people. */
export function arithmetic(line: SoldLine, credit: LineCredit, currency: string): string {
  if (credit.termDays === null) return `${line.unitPrice} ${currency} × ${line.quantity} = ${credit.credit}`;
  const exact = new Decimal(line.unitPrice).times(credit.unusedDays ?? 0).div(credit.termDays);
  const shown = formatAmount(exact.toDecimalPlaces(4, Decimal.ROUND_DOWN), currency);
  const cut = shown === credit.unitCredit ? '' : `, cut to ${credit.unitCredit}`;
  return `${line.unitPrice} ${currency} / ${credit.termDays} days × ${credit.unusedDays} unused = ${shown}${cut}, × ${line.quantity} = ${credit.credit}`;
}

function earliest(lines: SoldLine[]): Date | null {
  const windows = lines.flatMap((line) => (line.cancellableUntil ? [line.cancellableUntil.getTime()] : []));
  return windows.length > 0 ? new Date(Math.min(...windows)) : null;
}
