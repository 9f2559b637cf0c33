import type { AccessRule } from '../../auth/access-rule.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { cutToMinorUnit, sum, times } from '../../domain/money.js';
import type { Problem } from '../../domain/problem.js';
import { offersAt } from '../catalog/prices-at.js';
import { CustomerNotFound } from '../customers/find-customer.js';
import { type Term, termOf } from '../orders/term.js';
import { type AskedLine, type Buyer, findOnSale, type SkuOnSale } from './find-on-sale.js';
import { PriceNotFound, ProductNotAvailableInMarket, QuantityOutOfBounds, SkuNotFound } from './purchase-problems.js';

/** What is to be bought, for whom. */
export interface AskedPurchase {
  /** Id of the customer's row. */
  customerId: string;
  /** ISO 4217; the market's default one where left out. */
  currency: string | null;
  lines: AskedLine[];
}

/** A line with what it costs: decimal text in the purchase's currency, not finer than its minor unit (rule 16). */
export interface PricedPurchaseLine {
  sku: SkuOnSale;
  quantity: number;
  unitPrice: string;
  total: string;
  /** The paid term; null for perpetual software. */
  term: Term | null;
}

/** What a purchase charges. */
export interface PricedPurchase {
  buyer: Buyer;
  currency: string;
  lines: PricedPurchaseLine[];
  total: string;
}

/**
 * What buying costs now, to the cent, or why it cannot be bought (rules 1 to 4): the purchase and its preview ask here
 * both, and so cannot disagree. It is one statement for however many lines, and all prices are of one instant.
 * Answers CustomerNotFound, SkuNotFound, QuantityOutOfBounds, ProductNotAvailableInMarket or PriceNotFound.
 * @param rule who may ask
 */
export async function pricePurchase(
  unit: UnitOfWork,
  asked: AskedPurchase,
  rule: AccessRule,
): Promise<PricedPurchase | Problem> {
  const { em, now } = unit;
  const onSale = await findOnSale(unit, asked, rule);
  if (!onSale) return new CustomerNotFound();
  const { buyer, skus } = onSale;
  const currency = asked.currency ?? (buyer.currencies[0] as string);

  const wanted: { sku: SkuOnSale; quantity: number }[] = [];
  for (const [index, { productId, skuId, quantity }] of asked.lines.entries()) {
    const sku = skus[index];
    if (!sku) return new SkuNotFound(index, productId, skuId);
    if (quantity < sku.minimumQuantity || quantity > sku.maximumQuantity)
      return new QuantityOutOfBounds(index, sku.minimumQuantity, sku.maximumQuantity);
    if (sku.isClosed) return new ProductNotAvailableInMarket(index, buyer.market, sku.kind);
    wanted.push({ sku, quantity });
  }
  const lines: PricedPurchaseLine[] = [];
  for (const [index, { sku, quantity }] of wanted.entries()) {
    if (sku.unitPrice === null) {
      const { market, segment, currencies } = buyer;
      const offers = await offersAt(em, { market, currency, segment, at: now }, sku.id);
      return new PriceNotFound(index, market, currency, currencies, offers, sku);
    }
    const unitPrice = cutToMinorUnit(sku.unitPrice, currency);
    const term = sku.termDuration ? termOf(now, sku.termDuration) : null;
    lines.push({ sku, quantity, unitPrice, total: times(unitPrice, quantity, currency), term });
  }
  const total = sum(
    lines.map((line) => line.total),
    currency,
  );
  return { buyer, currency, lines, total };
}
