import type { Em } from '../../database/orm.js';
import { prepared } from '../../database/prepared.js';
import { query } from '../../database/query.js';
import type { BillingPlan, Segment } from '../../domain/product-kind.js';

/** A term and how it is billed. Null for perpetual software, `ONE_TIME` where it is billed once. */
export interface Offer {
  termDuration: string | null;
  billingPlan: BillingPlan;
}

/** For whom and when prices are asked for. */
export interface PriceQuery {
  market: string;
  currency: string;
  segment: Segment;
  at: Date;
}

const OFFERS = prepared(
  'offers of a SKU',
  `select distinct term_duration as "termDuration", billing_plan as "billingPlan" from prices
  where sku_id = $1 and market_code = $2 and currency = $3 and segment = $4
    and effective_start_date <= $5 and effective_end_date > $5 order by 1, 2`,
);

/** The terms and billing plans that a SKU has a price for, in whatever quantity. @param skuRow id of its row */
export function offersAt(em: Em, { market, currency, segment, at }: PriceQuery, skuRow: string): Promise<Offer[]> {
  return query<Offer>(em, OFFERS, [skuRow, market, currency, segment, at]);
}
