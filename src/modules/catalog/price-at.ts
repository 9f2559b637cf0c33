import type { Em } from '../../database/orm.js';
import type { Segment } from '../../domain/product-kind.js';
import { Price, type Sku } from './catalog.entity.js';

/** What a price is asked for. */
export interface PriceQuery {
  sku: Sku;
  market: string;
  currency: string;
  segment: Segment;
  quantity: number;
  at: Date;
}

/**
 * The price valid at the time of sale; on overlap the one that ends last (rule 3), then an imported one before an
 * invented one (`PRICE_LIST` sorts after `INVENTED`), then the one that began last, then the one of the higher tier.
 */
export async function priceAt(em: Em, query: PriceQuery): Promise<Price | null> {
  return em.findOne(
    Price,
    {
      sku: query.sku,
      market: query.market,
      currency: query.currency,
      segment: query.segment,
      effectiveStartDate: { $lte: query.at },
      effectiveEndDate: { $gt: query.at },
      $and: [
        { $or: [{ pricingTierRangeMin: null }, { pricingTierRangeMin: { $lte: query.quantity } }] },
        { $or: [{ pricingTierRangeMax: null }, { pricingTierRangeMax: { $gte: query.quantity } }] },
      ],
    },
    {
      orderBy: {
        effectiveEndDate: 'desc',
        source: 'desc',
        effectiveStartDate: 'desc',
        pricingTierRangeMin: 'desc nulls last',
      },
    },
  );
}
