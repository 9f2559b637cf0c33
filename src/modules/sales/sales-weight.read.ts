import { customersShare, LARGE_CUSTOMER, type Rows } from '../../read/weights.js';
import type { SalesDimension } from './sales.type.js';

type Values = Record<string, unknown>;

/** Points for each line that is read and added to its group, and for each total. */
const LINE = 0.15;
const TOTAL = 0.03;
/** Totals of a year, by customer or product, are about a fifth of the lines; by month, about half. */
const TOTALS_OF_YEARS = 0.2;
const TOTALS_OF_MONTHS = 0.5;
const DAYS_OF_LINES = 730;
const MONTHS = 24;
const DAY_MS = 86_400_000;

/** About how many groups there are: no more than what the dimensions can be, nor than there are lines. */
export function salesGroups(values: Values, rows: Rows): number {
  const sizes: Record<SalesDimension, number> = {
    CUSTOMER: rows('Customer'),
    MARKET: Math.min(rows('Market'), rows('Customer')),
    PRODUCT: rows('Product'),
    KIND: 4,
    MONTH: MONTHS,
  };
  // A customer is in one market, and a product is of few kinds.
  const dimensions = dimensionsOf(values).filter(
    (dimension, _at, all) =>
      !(dimension === 'MARKET' && all.includes('CUSTOMER')) && !(dimension === 'KIND' && all.includes('PRODUCT')),
  );
  const groups = dimensions.reduce((product, dimension) => product * Math.max(1, sizes[dimension]), 1);
  return Math.min(groups, rows('OrderLine') * shareOfTime(values) * shareOfCustomer(values, rows));
}

/** Points that reading and adding up costs: lines by customer and product at once, else totals. */
export function salesWeight(values: Values, rows: Rows): number {
  const dimensions = dimensionsOf(values);
  const filters = Object.entries((values['filter'] ?? {}) as Values).flatMap(([name, value]) =>
    value == null ? [] : [name],
  );
  const isByCustomer = dimensions.includes('CUSTOMER') || filters.includes('customerId');
  const isByProduct = dimensions.includes('PRODUCT') || filters.includes('productId');
  const lines = rows('OrderLine') * shareOfCustomer(values, rows);
  if (isByCustomer && isByProduct) return LINE * lines * shareOfTime(values);
  const isOfMonths = dimensions.includes('MONTH') || filters.includes('from') || filters.includes('to');
  return TOTAL * lines * (isOfMonths ? TOTALS_OF_MONTHS : TOTALS_OF_YEARS);
}

function dimensionsOf({ groupBy }: Values): SalesDimension[] {
  const given = Array.isArray(groupBy) ? groupBy : [groupBy];
  return [...new Set(given.filter((one) => typeof one === 'string'))] as SalesDimension[];
}

/** Which part of the lines is of the customer of the filter, where it names one: an index finds them. */
function shareOfCustomer({ filter }: Values, rows: Rows): number {
  const { customerId } = (filter ?? {}) as { customerId?: unknown };
  return customerId == null ? 1 : customersShare(rows, LARGE_CUSTOMER);
}

/** Which part of the lines lies in the period of the filter. */
function shareOfTime({ filter }: Values): number {
  const { from, to } = (filter ?? {}) as { from?: unknown; to?: unknown };
  if (typeof from !== 'string') return 1;
  const end = typeof to === 'string' ? Date.parse(to) : Date.now();
  const days = (end - Date.parse(from)) / DAY_MS;
  return Number.isNaN(days) ? 1 : Math.min(1, Math.max(0, days) / DAYS_OF_LINES);
}
