import { DateTime, type DateTimeUnit } from 'luxon';
import { SalesSpan } from './sales.entity.js';

/** From `lo` to before `hi`, each a day or an instant as text, or an infinity of PostgreSQL's. */
export interface Bounds {
  lo: string;
  hi: string;
}

/** A range of time cut into what is added up and what is not. */
export interface CutRange {
  /** Days that are whole, all of them together. */
  days: Bounds;
  /** Ranges of first days for each span: always as many, some of them empty. */
  spans: Record<SalesSpan, readonly [Bounds, Bounds]>;
  /** Instants before the first and after the last whole day: there the lines themselves are read. */
  edges: readonly [Bounds, Bounds];
}

const NOTHING: Bounds = { lo: 'infinity', hi: '-infinity' };
const smallerFirst: readonly SalesSpan[] = [SalesSpan.DAY, SalesSpan.MONTH, SalesSpan.YEAR];

/**
 * Cuts `[from, to)` (milliseconds since 1970; infinite where open) into whole years, months and days in UTC, the
 * longest first, and at most two parts of a day. So the number of totals that a range needs does not grow with orders.
 * @param longest the longest span to cut into
 */
export function cutRange(from: number, to: number, longest: SalesSpan): CutRange {
  const lo = ceil(from, SalesSpan.DAY);
  const hi = floor(to, SalesSpan.DAY);
  const spans: Record<SalesSpan, Bounds[]> = { DAY: [], MONTH: [], YEAR: [] };
  if (lo >= hi) return { days: NOTHING, spans: padded(spans), edges: [instants(from, to), NOTHING] };
  cut(lo, hi, smallerFirst.slice(0, smallerFirst.indexOf(longest) + 1), spans);
  return { days: days(lo, hi), spans: padded(spans), edges: [instants(from, lo), instants(hi, to)] };
}

function cut(lo: number, hi: number, among: readonly SalesSpan[], into: Record<SalesSpan, Bounds[]>): void {
  const span = among.at(-1);
  if (!span || lo >= hi) return;
  const [first, end] = [ceil(lo, span), floor(hi, span)];
  const shorter = among.slice(0, -1);
  if (first >= end) {
    cut(lo, hi, shorter, into);
    return;
  }
  into[span].push(days(first, end));
  cut(lo, first, shorter, into);
  cut(end, hi, shorter, into);
}

const padded = (spans: Record<SalesSpan, Bounds[]>): CutRange['spans'] => {
  const two = (bounds: Bounds[]) => [bounds[0] ?? NOTHING, bounds[1] ?? NOTHING] as const;
  return { DAY: two(spans.DAY), MONTH: two(spans.MONTH), YEAR: two(spans.YEAR) };
};

function floor(instant: number, span: SalesSpan): number {
  if (!Number.isFinite(instant)) return instant;
  return utc(instant)
    .startOf(span.toLowerCase() as DateTimeUnit)
    .toMillis();
}

function ceil(instant: number, span: SalesSpan): number {
  const below = floor(instant, span);
  if (below === instant) return instant;
  return utc(below)
    .plus({ [span.toLowerCase()]: 1 })
    .toMillis();
}

const utc = (instant: number) => DateTime.fromMillis(instant, { zone: 'utc' });
const days = (lo: number, hi: number): Bounds => ({ lo: text(lo).slice(0, 10), hi: text(hi).slice(0, 10) });
const instants = (lo: number, hi: number): Bounds => (lo < hi ? { lo: text(lo), hi: text(hi) } : NOTHING);

/** PostgreSQL's text of it. The contract's years end with 9999: what lies behind is open. */
function text(instant: number): string {
  if (instant === Number.NEGATIVE_INFINITY) return '-infinity';
  if (instant === Number.POSITIVE_INFINITY || utc(instant).year > 9999) return 'infinity';
  return new Date(instant).toISOString();
}
