import type { BillingPlan, PriceListView, Segment } from '../../domain/product-kind.js';
import type { DateOrder } from '../files/dates.js';
import { InvalidCell } from '../files/invalid-cell.js';
import {
  amountOf,
  billingPlanOf,
  currencyOf,
  dateOf,
  endOf,
  isRemovedBy,
  marketOf,
  productIdOf,
  segmentOf,
  skuIdOf,
  tierBound,
  tierEnd,
  titleOf,
} from './price-list-cells.js';
import type { Cells, Column } from './price-list-columns.js';
import { type KindAndTerm, kindAndTerm, viewOf } from './sku-kind.js';

/** A row that can be kept. Amounts are decimal strings of `currency`; dates are instants. */
export interface PriceListRow extends KindAndTerm {
  productId: string;
  productTitle: string;
  publisher: string;
  skuId: string;
  skuTitle: string;
  billingPlan: BillingPlan;
  view: PriceListView;
  /** It is sold no more. */
  isRemoved: boolean;
  market: string;
  currency: string;
  segment: Segment;
  unitPrice: string;
  erpPrice: string | null;
  tierMin: number | null;
  tierMax: number | null;
  startsAt: Date;
  endsAt: Date;
}

/** What is wrong with one cell of a row. */
export interface Fault {
  column: Column;
  value: string;
  reason: string;
}

/**
 * Judges one row by itself: every cell that counts is read, and all that is wrong is told together.
 * @param markets codes of the markets that the gateway knows
 * @param dates which number of a date with slashes comes first; null: not known, so that some can be read two ways
 */
export function validateRow(
  cells: Cells,
  markets: ReadonlySet<string>,
  dates: DateOrder | null = null,
): { row: PriceListRow } | { faults: Fault[] } {
  const faults: Fault[] = [];
  const take = <T>(column: Column, value: T | InvalidCell): T | undefined => {
    if (!(value instanceof InvalidCell)) return value;
    faults.push({ column, value: cells[column] ?? '', reason: value.reason });
    return undefined;
  };

  const currency = take('Currency', currencyOf(cells.Currency));
  const tierMin = take('PricingTierRangeMin', tierBound(cells.PricingTierRangeMin));
  const tierMax = take('PricingTierRangeMax', tierEnd(cells.PricingTierRangeMax));
  const startsAt = take('EffectiveStartDate', dateOf(cells.EffectiveStartDate, dates));
  const endsAt = take('EffectiveEndDate', endOf(cells.EffectiveEndDate, dates));
  const isRemoved = take('ChangeIndicator', isRemovedBy(cells.ChangeIndicator));
  const kindTerm = take('TermDuration', kindAndTerm(cells));
  const row = {
    ...kindTerm,
    view: kindTerm && viewOf(kindTerm.kind, cells),
    isRemoved,
    productId: take('ProductId', productIdOf(cells.ProductId)),
    productTitle: take('ProductTitle', titleOf(cells.ProductTitle)),
    publisher: take('Publisher', titleOf(cells.Publisher)),
    skuId: take('SkuId', skuIdOf(cells.SkuId)),
    skuTitle: take('SkuTitle', titleOf(cells.SkuTitle)),
    billingPlan: take('BillingPlan', billingPlanOf(cells.BillingPlan)),
    market: take('Market', marketOf(cells.Market, markets)),
    currency,
    segment: take('Segment', segmentOf(cells.Segment)),
    // What is removed may come without its price.
    unitPrice: isRemoved && cells.UnitPrice === '' ? '0' : take('UnitPrice', amountOf(cells.UnitPrice, currency)),
    erpPrice: cells['ERP Price'] === '' ? null : take('ERP Price', amountOf(cells['ERP Price'], currency)),
    tierMin,
    tierMax,
    startsAt,
    endsAt,
  };
  if (startsAt && endsAt && endsAt <= startsAt)
    take('EffectiveEndDate', new InvalidCell('must be after EffectiveStartDate'));
  if (typeof tierMin === 'number' && typeof tierMax === 'number' && tierMax < tierMin) {
    take('PricingTierRangeMax', new InvalidCell('must not be below PricingTierRangeMin'));
  }
  return faults.length > 0 ? { faults } : { row: row as PriceListRow };
}
