import type { Em } from '../../database/orm.js';
import type { BillingPlan, Segment } from '../../domain/product-kind.js';
import { Sku } from './catalog.entity.js';

/** A SKU by its ids. */
export interface SkuIds {
  productId: string;
  skuId: string;
}

/** The SKUs of the catalog among those asked for, by `productId:skuId`, with their products; in one statement. */
export async function findSkus(em: Em, asked: readonly SkuIds[]): Promise<Map<string, Sku>> {
  const found = await em.find(
    Sku,
    { $or: asked.map(({ productId, skuId }) => ({ skuId, product: { productId } })) },
    { populate: ['product'], strategy: 'joined' },
  );
  return new Map(found.map((sku) => [skuKey({ productId: sku.product.productId, skuId: sku.skuId }), sku]));
}

/** What `findSkus` finds a SKU by. */
export const skuKey = ({ productId, skuId }: SkuIds): string => `${productId}:${skuId}`;

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

/** What the price of is asked for. */
export interface PricedLine extends Offer {
  sku: Sku;
  quantity: number;
}

/** What one unit costs for a term. */
export interface FoundPrice extends Offer {
  /** Decimal text, as the list has it. */
  unitPrice: string;
}

/** What holds at an instant for whom it is asked; the same in catalog.read.ts. Its parameters are those of `bound`. */
const VALID = `p.market_code = ? and p.currency = ? and p.segment = ? and p.effective_start_date <= ? and p.effective_end_date > ?`;
const bound = ({ market, currency, segment, at }: PriceQuery) => [market, currency, segment, at, at];

/**
 * The prices valid at the time of sale for lines, in their order, in one statement and so at one instant; null where
 * there is none. On overlap the one that ends last (rule 3), then an imported one before an invented one (`PRICE_LIST`
 * sorts after `INVENTED`), then the one that began last, then the one of the higher tier.
 */
export async function pricesAt(
  em: Em,
  query: PriceQuery,
  lines: readonly PricedLine[],
): Promise<(FoundPrice | null)[]> {
  const asked = lines.map((line, index) => ({
    index,
    sku: line.sku.id,
    quantity: line.quantity,
    term: line.termDuration,
    plan: line.billingPlan,
  }));
  const found = await em.execute<
    { index: number; unitPrice: string; termDuration: string | null; billingPlan: BillingPlan }[]
  >(
    `select asked.index, price.unit_price::text as "unitPrice", price.term_duration as "termDuration", price.billing_plan as "billingPlan"
    from json_to_recordset(?::json) as asked(index int, sku uuid, quantity int, term text, plan text)
    cross join lateral (
      select * from prices p
      where p.sku_id = asked.sku and ${VALID} and p.billing_plan = asked.plan and p.term_duration is not distinct from asked.term
        and coalesce(p.pricing_tier_range_min, 1) <= asked.quantity and coalesce(p.pricing_tier_range_max, asked.quantity) >= asked.quantity
      order by p.effective_end_date desc, p.source desc, p.effective_start_date desc, p.pricing_tier_range_min desc nulls last
      limit 1
    ) price`,
    [JSON.stringify(asked), ...bound(query)],
  );
  const byLine = new Map(found.map(({ index, ...price }) => [index, price]));
  return lines.map((_, index) => byLine.get(index) ?? null);
}

/** The terms and billing plans that a SKU has a price for, in whatever quantity. */
export function offersAt(em: Em, query: PriceQuery, sku: Sku): Promise<Offer[]> {
  return em.execute<Offer[]>(
    `select distinct p.term_duration as "termDuration", p.billing_plan as "billingPlan" from prices p
    where p.sku_id = ? and ${VALID} order by 1, 2`,
    [sku.id, ...bound(query)],
  );
}
