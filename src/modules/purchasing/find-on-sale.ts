import { type AccessRule, reachOf } from '../../auth/access-rule.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { prepared } from '../../database/prepared.js';
import { query } from '../../database/query.js';
import type { BillingPlan, ProductKind, Segment } from '../../domain/product-kind.js';
import type { CancellationTerms } from '../../domain/refund-option.js';
import type { SoldSku } from '../orders/sold-line.js';

/** What is asked for: a SKU by its ids, and how much of it. */
export interface AskedLine {
  productId: string;
  skuId: string;
  quantity: number;
  /** Those of the SKU where left out. */
  termDuration?: string | null;
  billingPlan?: BillingPlan | null;
}

/** A SKU of the catalog, as it is sold to a customer at an instant. */
export interface SkuOnSale extends SoldSku, CancellationTerms {
  /** Id of the SKU's row. */
  id: string;
  kind: ProductKind;
  minimumQuantity: number;
  maximumQuantity: number;
  /** The term and the plan that were asked for, or its own. */
  termDuration: string | null;
  billingPlan: BillingPlan;
  /** Whether its kind may not be sold in the customer's market (rule 1). */
  isClosed: boolean;
  /** Decimal text, as the list has it; null where no price holds. */
  unitPrice: string | null;
}

/** Who is sold to, and where. */
export interface Buyer {
  customerId: string;
  segment: Segment;
  market: string;
  /** ISO 4217 codes in which the market is sold to, the default one first. */
  currencies: string[];
  /** Rule 2. */
  taxInclusive: boolean;
}

/** A buyer with what is on sale to them: a SKU for each line that is asked for, null where there is none of its ids. */
export interface OnSale {
  buyer: Buyer;
  skus: (SkuOnSale | null)[];
}

/**
 * Everything that a sale depends on, in one statement and so at one instant: a row for each line that is asked for.
 * - Rule 1: of a market's closures of a kind the newest one in effect counts.
 * - Rule 3: of prices that overlap the one that ends last counts, then an imported one before an invented one
 *   (`PRICE_LIST` sorts after `INVENTED`), then the one that began last, then the one of the higher tier.
 * - Rule 13: the newest policy in effect of the SKU itself counts, else of its kind; without one it can never be cancelled.
 */
const ON_SALE = prepared(
  'on sale',
  `select
    jsonb_build_object('customerId', customer.id, 'segment', customer.segment, 'market', market.code,
      'currencies', market.currencies, 'taxInclusive', market.tax_inclusive) as "buyer",
    case when sku.id is not null then jsonb_build_object('id', sku.id, 'title', sku.title, 'kind', sku.kind,
      'productRow', product.id, 'productId', product.product_id, 'skuId', sku.sku_id,
      'minimumQuantity', sku.minimum_quantity, 'maximumQuantity', sku.maximum_quantity,
      'termDuration', chosen.term, 'billingPlan', chosen.plan, 'isClosed', coalesce(closure.is_closed, false),
      'refundOptions', coalesce(policy.refund_options, '[]'),
      'supportRequestRequired', coalesce(policy.support_request_required, false),
      'unitPrice', price.unit_price::text) end as "sku"
  from customers customer
  join markets market on market.code = customer.market_code
  cross join json_to_recordset($4::text::json)
    as asked("index" int, "productId" text, "skuId" text, quantity int, "termDuration" text, "billingPlan" text)
  left join products product on product.product_id = asked."productId"
  left join skus sku on sku.product_id = product.id and sku.sku_id = asked."skuId"
  left join lateral (
    select coalesce(asked."termDuration", sku.term_duration) as term, coalesce(asked."billingPlan", sku.billing_plan) as plan
  ) chosen on true
  left join lateral (
    select is_closed from market_closures
    where market_code = market.code and kind = sku.kind and effective_date <= ($5::timestamptz at time zone 'UTC')::date
    order by effective_date desc limit 1
  ) closure on true
  left join lateral (
    select refund_options, support_request_required from cancellation_policies
    where (sku_id = sku.id or (sku_id is null and kind = sku.kind)) and effective_date <= ($5::timestamptz at time zone 'UTC')::date
    order by sku_id is null, effective_date desc limit 1
  ) policy on true
  left join lateral (
    select unit_price from prices
    where sku_id = sku.id and market_code = market.code and currency = coalesce($3, market.currencies[1])::char(3)
      and segment = customer.segment and effective_start_date <= $5 and effective_end_date > $5
      and billing_plan = chosen.plan and coalesce(term_duration, '') = coalesce(chosen.term, '')
      and coalesce(pricing_tier_range_min, 1) <= asked.quantity and coalesce(pricing_tier_range_max, asked.quantity) >= asked.quantity
    order by effective_end_date desc, source desc, effective_start_date desc, pricing_tier_range_min desc nulls last
    limit 1
  ) price on true
  where customer.id = $1 and ($2::uuid is null or customer.tenant_id = $2)
  order by asked."index"`,
);

/** What is on sale to a customer now, if the viewer may use the rule's field on their behalf; else null. */
export async function findOnSale(
  { em, viewer, now }: UnitOfWork,
  { customerId, currency, lines }: { customerId: string; currency: string | null; lines: readonly AskedLine[] },
  rule: AccessRule,
): Promise<OnSale | null> {
  const reach = reachOf(rule, viewer);
  if (!reach) return null;
  const asked = lines.map((line, index) => ({ ...line, index }));
  const rows = await query<{ buyer: Buyer; sku: SkuOnSale | null }>(em, ON_SALE, [
    customerId,
    reach.tenantId,
    currency,
    JSON.stringify(asked),
    now,
  ]);
  const [first] = rows;
  return first ? { buyer: first.buyer, skus: rows.map(({ sku }) => sku) } : null;
}
