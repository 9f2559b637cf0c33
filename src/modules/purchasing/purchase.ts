import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId, newOrderNumber } from '../../domain/ids.js';
import { cutToMinorUnit, sum, times } from '../../domain/money.js';
import { Problem } from '../../domain/problem.js';
import type { BillingPlan, ProductKind } from '../../domain/product-kind.js';
import type { CancellationTerms } from '../../domain/refund-option.js';
import { withIdempotency } from '../access/idempotency.js';
import { bookCharge, openInvoice } from '../billing/book.js';
import { Market } from '../catalog/market.entity.js';
import { cancellationTermsAt, kindsClosedAt } from '../catalog/policies-at.js';
import { findSkus, type Offer, offersAt, type PricedLine, pricesAt, skuKey } from '../catalog/prices-at.js';
import type { Customer } from '../customers/customer.entity.js';
import { CustomerNotFound, findCustomer } from '../customers/find-customer.js';
import { Entitlement } from '../entitlements/entitlement.entity.js';
import { Order, OrderLine } from '../orders/order.entity.js';
import { OrderLineStatus, OrderStatus } from '../orders/order-status.js';
import { freezeOptions, lastExpiry } from '../orders/refund-options.js';
import { endOf, termOf } from '../orders/term.js';
import { purchaseAccess } from './purchase.access.js';

/** No such SKU in the catalog. */
export class SkuNotFound extends Problem {
  readonly code = 'SKU_NOT_FOUND';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly productId: string,
    readonly skuId: string,
  ) {
    super();
    this.message = `The catalog has no SKU ${productId}:${skuId}. SKU ids have four characters and keep their zeros: 0003.`;
  }
}

/** Rule 4: the quantity is outside the SKU's bounds. */
export class QuantityOutOfBounds extends Problem {
  readonly code = 'QUANTITY_OUT_OF_BOUNDS';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly minimum: number,
    readonly maximum: number,
  ) {
    super();
    this.message = `The quantity of line ${lineIndex} must be from ${minimum} to ${maximum}.`;
  }
}

/** Rule 1: this kind may not be sold where the customer is. */
export class ProductNotAvailableInMarket extends Problem {
  readonly code = 'PRODUCT_NOT_AVAILABLE_IN_MARKET';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly market: string,
    readonly kind: ProductKind,
  ) {
    super();
    this.message = `${kind} may not be sold in market ${market}. Leave line ${lineIndex} out.`;
  }
}

/** Rule 3: no price holds now for the customer's market, segment, this currency, term and billing plan. */
export class PriceNotFound extends Problem {
  readonly code = 'PRICE_NOT_FOUND';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly market: string,
    readonly currency: string,
    readonly currencies: string[],
    /** The terms and billing plans that it has a price for. */
    readonly offers: Offer[] = [],
    asked?: Offer,
  ) {
    super();
    const there = `Line ${lineIndex} has no price in ${currency} for market ${market}`;
    this.message =
      offers.length > 0 && asked
        ? `${there}, ${offerText(asked)}, in this quantity. Sold there: ${offers.map(offerText).join('; ')}.`
        : `${there}. Currencies sold in there: ${currencies.join(', ')}.`;
  }
}

const offerText = ({ termDuration, billingPlan }: Offer) => `${termDuration ?? 'without a term'} ${billingPlan}`;

export interface PurchaseLine {
  productId: string;
  skuId: string;
  quantity: number;
  /** Those of the SKU where left out. */
  termDuration?: string | null;
  billingPlan?: BillingPlan | null;
}
export interface Purchase {
  idempotencyKey: string;
  /** Id of the customer's row. */
  customerId: string;
  /** ISO 4217; the market's default one where left out. */
  currency: string | null;
  lines: PurchaseLine[];
}

/**
 * Buys on behalf of a customer (rules 1 to 6). Order, lines, entitlements, invoice lines and the activity entry commit
 * together or not at all. Answers the order's id, or CustomerNotFound, SkuNotFound, QuantityOutOfBounds,
 * ProductNotAvailableInMarket, PriceNotFound, IdempotencyKeyReused or RequestInProgress.
 */
export function purchase(unit: UnitOfWork, input: Purchase): Promise<{ orderId: string } | Problem> {
  const { idempotencyKey, ...asked } = input;
  return withIdempotency(unit, 'purchase', idempotencyKey, asked, () => place(unit, input));
}

async function place(unit: UnitOfWork, input: Purchase): Promise<{ orderId: string } | Problem> {
  const { em, viewer, now } = unit;
  const customer = await findCustomer(em, viewer, input.customerId, purchaseAccess['Mutation.purchase']);
  if (!customer) return new CustomerNotFound();
  const market = await em.findOneOrFail(Market, { code: customer.market.code });
  const currency = input.currency ?? (market.currencies[0] as string);

  const closed = await kindsClosedAt(em, market.code, now);
  const skus = await findSkus(em, input.lines);
  const wanted: PricedLine[] = [];
  for (const [index, line] of input.lines.entries()) {
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
  const priceQuery = { market: market.code, currency, segment: customer.segment, at: now };
  const prices = await pricesAt(em, priceQuery, wanted);
  const priced: Priced[] = [];
  for (const [index, line] of wanted.entries()) {
    const price = prices[index];
    if (!price) {
      const offers = await offersAt(em, priceQuery, line.sku);
      return new PriceNotFound(index, market.code, currency, market.currencies, offers, line);
    }
    priced.push({ ...line, unitPrice: cutToMinorUnit(price.unitPrice, currency) });
  }
  return { orderId: await write(unit, customer, market, currency, priced) };
}

/** A line with what one unit of it costs. */
interface Priced extends PricedLine {
  unitPrice: string;
}

async function write(
  unit: UnitOfWork,
  customer: Customer,
  market: Market,
  currency: string,
  priced: Priced[],
): Promise<string> {
  const { em, viewer, correlationId, now } = unit;
  const totals = priced.map(({ unitPrice, quantity }) => times(unitPrice, quantity, currency));
  const order = em.create(Order, {
    id: newId(),
    number: newOrderNumber(),
    customer,
    market,
    status: OrderStatus.COMPLETED,
    currency,
    total: sum(totals, currency),
    taxIncluded: market.taxInclusive,
    placedAt: now,
    placedBy: viewer.userPrincipalName,
    correlationId,
  });
  em.persist(order);
  const invoice = await openInvoice(em, customer.id, currency, now);
  const skuIds = priced.map(({ sku }) => sku.id);
  const terms = await cancellationTermsAt(em, skuIds, now);
  for (const [index, { sku, quantity, unitPrice, termDuration, billingPlan }] of priced.entries()) {
    const term = termDuration ? termOf(now, termDuration) : null;
    const { refundOptions, supportRequestRequired } = terms.get(sku.id) as CancellationTerms;
    const sold = freezeOptions(refundOptions, now);
    const line = em.create(OrderLine, {
      id: newId(),
      order,
      lineNumber: index,
      sku,
      quantity,
      unitPrice,
      total: totals[index] as string,
      status: OrderLineStatus.ACTIVE,
      refundOptions: sold,
      cancellableUntil: lastExpiry(sold),
      supportRequestRequired,
      termStart: term?.start,
      termEnd: term?.end,
      billingPlan,
    });
    const entitlement = em.create(Entitlement, {
      id: newId(),
      orderLine: line,
      customer,
      sku,
      quantity,
      status: 'ACTIVE',
      grantedAt: now,
      expiresAt: term ? endOf(term) : null,
    });
    em.persist([line, entitlement]);
    bookCharge(em, invoice, line, sku.title, now);
  }
  recordActivity(em, {
    action: 'ORDER_PLACED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: customer.id,
    orderId: order.id,
    productIds: [...new Set(priced.map(({ sku }) => sku.product.productId))],
    resource: { type: 'ORDER', id: toGlobalId('Order', order.id), label: order.number },
    correlationId,
    detail: { orderNumber: order.number, lineCount: priced.length, total: order.total, currency },
  });
  return order.id;
}
