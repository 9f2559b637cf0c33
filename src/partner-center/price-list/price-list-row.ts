import type { Segment } from '../../domain/product-kind.js';
import { InvalidCell } from './invalid-cell.js';
import {
  amountOf,
  type BillingPlan,
  billingPlanOf,
  currencyOf,
  dateOf,
  endOf,
  marketOf,
  productIdOf,
  segmentOf,
  skuIdOf,
  tierBound,
  titleOf,
} from './price-list-cells.js';
import type { Cells, Column } from './price-list-columns.js';
import { type KindAndTerm, kindAndTerm } from './sku-kind.js';

/** A row that can be kept. Amounts are decimal strings of `currency`; dates are instants. */
export interface PriceListRow extends KindAndTerm {
  productId: string;
  productTitle: string;
  publisher: string;
  skuId: string;
  skuTitle: string;
  billingPlan: BillingPlan;
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
 */
export function validateRow(cells: Cells, markets: ReadonlySet<string>): { row: PriceListRow } | { faults: Fault[] } {
  const faults: Fault[] = [];
  const take = <T>(column: Column, value: T | InvalidCell): T | undefined => {
    if (!(value instanceof InvalidCell)) return value;
    faults.push({ column, value: cells[column], reason: value.reason });
    return undefined;
  };

  const currency = take('Currency', currencyOf(cells.Currency));
  const tierMin = take('PricingTierRangeMin', tierBound(cells.PricingTierRangeMin));
  const tierMax = take('PricingTierRangeMax', tierBound(cells.PricingTierRangeMax));
  const startsAt = take('EffectiveStartDate', dateOf(cells.EffectiveStartDate));
  const endsAt = take('EffectiveEndDate', endOf(cells.EffectiveEndDate));
  const row = {
    ...take('TermDuration', kindAndTerm(cells)),
    productId: take('ProductId', productIdOf(cells.ProductId)),
    productTitle: take('ProductTitle', titleOf(cells.ProductTitle)),
    publisher: take('Publisher', titleOf(cells.Publisher)),
    skuId: take('SkuId', skuIdOf(cells.SkuId)),
    skuTitle: take('SkuTitle', titleOf(cells.SkuTitle)),
    billingPlan: take('BillingPlan', billingPlanOf(cells.BillingPlan)),
    market: take('Market', marketOf(cells.Market, markets)),
    currency,
    segment: take('Segment', segmentOf(cells.Segment)),
    unitPrice: take('UnitPrice', amountOf(cells.UnitPrice, currency)),
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
