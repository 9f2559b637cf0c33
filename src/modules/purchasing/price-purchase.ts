import type { AccessRule } from '../../auth/access-rule.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { cutToMinorUnit, sum, times } from '../../domain/money.js';
import type { Problem } from '../../domain/problem.js';
import type { BillingPlan } from '../../domain/product-kind.js';
import { Market } from '../catalog/market.entity.js';
import { kindsClosedAt } from '../catalog/policies-at.js';
import { findSkus, offersAt, type PricedLine, pricesAt, skuKey } from '../catalog/prices-at.js';
import type { Customer } from '../customers/customer.entity.js';
import { CustomerNotFound, findCustomer } from '../customers/find-customer.js';
import { type Term, termOf } from '../orders/term.js';
import { PriceNotFound, ProductNotAvailableInMarket, QuantityOutOfBounds, SkuNotFound } from './purchase-problems.js';

export interface PurchaseLine {
  productId: string;
  skuId: string;
  quantity: number;
  /** Those of the SKU where left out. */
  termDuration?: string | null;
  billingPlan?: BillingPlan | null;
}

/** What is to be bought, for whom. */
export interface AskedPurchase {
  /** Id of the customer's row. */
  customerId: string;
  /** ISO 4217; the market's default one where left out. */
  currency: string | null;
  lines: PurchaseLine[];
}

/** A line with what it costs: decimal text in the purchase's currency, not finer than its minor unit (rule 16). */
export interface PricedPurchaseLine extends PricedLine {
  unitPrice: string;
  total: string;
  /** The paid term; null for perpetual software. */
  term: Term | null;
}

/** What a purchase charges. */
export interface PricedPurchase {
  customer: Customer;
  market: Market;
  currency: string;
  lines: PricedPurchaseLine[];
  total: string;
}

/**
 * What buying costs now, to the cent, or why it cannot be bought (rules 1 to 4): the purchase and its preview ask here
 * both, and so cannot disagree. The number of statements does not grow with the lines, and all prices are of one instant.
 * Answers CustomerNotFound, SkuNotFound, QuantityOutOfBounds, ProductNotAvailableInMarket or PriceNotFound.
 * @param rule who may ask
 */
export async function pricePurchase(
  { em, viewer, now }: UnitOfWork,
  asked: AskedPurchase,
  rule: AccessRule,
): Promise<PricedPurchase | Problem> {
  const customer = await findCustomer(em, viewer, asked.customerId, rule);
  if (!customer) return new CustomerNotFound();
  const market = await em.findOneOrFail(Market, { code: customer.market.code });
  const currency = asked.currency ?? (market.currencies[0] as string);

  const closed = await kindsClosedAt(em, market.code, now);
  const skus = await findSkus(em, asked.lines);
  const wanted: PricedLine[] = [];
  for (const [index, line] of asked.lines.entries()) {
    const sku = skus.get(skuKey(line));
    if (!sku) return new SkuNotFound(index, line.productId, line.skuId);
    if (line.quantity < sku.minimumQuantity || line.quantity > sku.maximumQuantity) {
      return new QuantityOutOfBounds(index, sku.minimumQuantity, sku.maximumQuantity);
    }
    if (closed.has(sku.kind)) return new ProductNotAvailableInMarket(index, market.code, sku.kind);
    wanted.push({
      sku,
      quantity: line.quantity,
      termDuration: line.termDuration ?? sku.termDuration ?? null,
      billingPlan: line.billingPlan ?? sku.billingPlan,
    });
  }
  const query = { market: market.code, currency, segment: customer.segment, at: now };
  const prices = await pricesAt(em, query, wanted);
  const lines: PricedPurchaseLine[] = [];
  for (const [index, line] of wanted.entries()) {
    const price = prices[index];
    if (!price) {
      const offers = await offersAt(em, query, line.sku);
      return new PriceNotFound(index, market.code, currency, market.currencies, offers, line);
    }
    const unitPrice = cutToMinorUnit(price.unitPrice, currency);
    const term = line.termDuration ? termOf(now, line.termDuration) : null;
    lines.push({ ...line, unitPrice, total: times(unitPrice, line.quantity, currency), term });
  }
  const total = sum(
    lines.map((line) => line.total),
    currency,
  );
  return { customer, market, currency, lines, total };
}
