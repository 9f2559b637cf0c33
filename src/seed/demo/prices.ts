import { Decimal } from 'decimal.js';
import { minorUnitDigits } from '../../domain/currencies.js';
import { PriceSource, ProductKind, Segment } from '../../domain/product-kind.js';
import { codesClosedToReservations, type ReferenceMarket, type ReferenceSku } from '../reference/reference-data.js';
import { basePrices, exchangeRates } from './base-prices.js';
import { demoId } from './numbers.js';

/** From when on there are prices. */
const FIRST_YEAR = 2020;
/** The year of the base prices; a year is 4 % dearer than the one before. */
const BASE_YEAR = 2026;
const YEARLY_RISE = '1.04';
/** What the partner pays of the estimated retail price. */
const PARTNER_SHARE = '0.85';
/** The price list's way to say "until further notice". */
const OPEN_END = '9999-11-30T23:59:59.000Z';

/** What the segments with prices of their own pay of the commercial price. */
const segmentShares: Partial<Record<Segment, string>> = {
  [Segment.COMMERCIAL]: '1',
  [Segment.EDUCATION]: '0.45',
  [Segment.CHARITY]: '0.35',
};
/** Where there are prices for education and charity: in these markets, in their default currency, for software. */
export const marketsWithSegments: readonly string[] = ['US', 'GB', 'DE', 'FR', 'IT', 'JP', 'AU', 'BR', 'IN', 'CA'];

/** The deliberate overlap of rule 3: last year's price of this SKU runs into this year; the later end wins. */
const overlap = { sku: 'DG7GMGF0FLR2:0002', market: 'US', monthAndDay: '02-14' };
/** Rule 2: what tax adds where prices include it. Invented, roughly GST and the Brazilian mix. */
const taxes: Record<string, string> = { AU: '1.10', BR: '1.17' };

/** A SKU with the ids of its row and of its product's. */
export interface PricedSku extends ReferenceSku {
  id: string;
  productRowId: string;
}

const catalogId = (sku: ReferenceSku): string => `${sku.productId}:${sku.skuId}`;
const known = new Map<string, { unit: string; retail: string }>();

/** Whether a SKU is sold in a market to a segment: reservations are closed in some markets (rule 1). */
export function isSold(sku: ReferenceSku, market: ReferenceMarket, segment: Segment): boolean {
  if (sku.kind === ProductKind.AZURE_RESERVATION && codesClosedToReservations.has(market.code)) return false;
  if (segment === Segment.COMMERCIAL) return true;
  const isSoftware = sku.kind === ProductKind.PERPETUAL_SOFTWARE || sku.kind === ProductKind.SOFTWARE_SUBSCRIPTION;
  return isSoftware && segment in segmentShares && marketsWithSegments.includes(market.code);
}

/** What one unit costs at an instant, the whole term of it, in the currency's minor unit (rule 3). */
export function unitPriceAt(
  sku: ReferenceSku,
  market: ReferenceMarket,
  currency: string,
  segment: Segment,
  at: Date,
): string {
  return priceOf(sku, market, currency, segment, at.getUTCFullYear()).unit;
}

function priceOf(sku: ReferenceSku, market: ReferenceMarket, currency: string, segment: Segment, year: number) {
  const tax = market.taxInclusive ? (taxes[market.code] ?? '1') : '1';
  const key = `${catalogId(sku)}/${currency}/${tax}/${segment}/${year}`;
  const before = known.get(key);
  if (before) return before;
  const base = basePrices[catalogId(sku)];
  const rate = exchangeRates[currency];
  const share = segmentShares[segment];
  if (base === undefined || rate === undefined || share === undefined)
    throw new Error(`No demonstration price for ${key}`);
  const digits = minorUnitDigits(currency);
  const retail = new Decimal(base)
    .times(rate)
    .times(tax)
    .times(share)
    .times(new Decimal(YEARLY_RISE).pow(year - BASE_YEAR));
  const price = { unit: retail.times(PARTNER_SHARE).toFixed(digits), retail: retail.toFixed(digits) };
  known.set(key, price);
  return price;
}

/** Every price of a market up to the year of `now`, one period a year, the last without end. Rows of `prices`. */
export function* priceRows(
  seed: number,
  skus: readonly PricedSku[],
  market: ReferenceMarket,
  now: Date,
): Generator<Record<string, unknown>> {
  const lastYear = Math.max(now.getUTCFullYear(), FIRST_YEAR);
  for (const segment of Object.keys(segmentShares) as Segment[]) {
    const currencies = segment === Segment.COMMERCIAL ? market.currencies : market.currencies.slice(0, 1);
    for (const sku of skus.filter((candidate) => isSold(candidate, market, segment))) {
      for (const currency of currencies) {
        for (let year = FIRST_YEAR; year <= lastYear; year++) {
          const price = priceOf(sku, market, currency, segment, year);
          yield {
            id: demoId(seed, `price/${catalogId(sku)}/${market.code}/${currency}/${segment}/${year}`),
            sku_id: sku.id,
            market_code: market.code,
            currency,
            segment,
            unit_price: price.unit,
            erp_price: price.retail,
            effective_start_date: `${year}-01-01T00:00:00.000Z`,
            effective_end_date: endOfPrice(sku, market, segment, year, lastYear),
            source: PriceSource.INVENTED,
          };
        }
      }
    }
  }
}

function endOfPrice(
  sku: ReferenceSku,
  market: ReferenceMarket,
  segment: Segment,
  year: number,
  lastYear: number,
): string {
  if (year === lastYear) return OPEN_END;
  const isOverlap = catalogId(sku) === overlap.sku && market.code === overlap.market && segment === Segment.COMMERCIAL;
  return isOverlap && year === lastYear - 1
    ? `${lastYear}-${overlap.monthAndDay}T00:00:00.000Z`
    : `${year + 1}-01-01T00:00:00.000Z`;
}
