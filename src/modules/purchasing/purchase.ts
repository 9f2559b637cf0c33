import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId, newOrderNumber } from '../../domain/ids.js';
import { cutToMinorUnit, sum, times } from '../../domain/money.js';
import { Problem } from '../../domain/problem.js';
import type { ProductKind } from '../../domain/product-kind.js';
import type { CancellationTerms } from '../../domain/refund-option.js';
import { withIdempotency } from '../access/idempotency.js';
import { bookCharge, openInvoice } from '../billing/book.js';
import { Sku } from '../catalog/catalog.entity.js';
import { Market } from '../catalog/market.entity.js';
import { cancellationTermsAt, kindsClosedAt } from '../catalog/policies-at.js';
import { priceAt } from '../catalog/price-at.js';
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

/** Rule 3: no price holds now for the customer's market, segment and this currency. */
export class PriceNotFound extends Problem {
  readonly code = 'PRICE_NOT_FOUND';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly market: string,
    readonly currency: string,
    readonly currencies: string[],
  ) {
    super();
    this.message = `Line ${lineIndex} has no price in ${currency} for market ${market}. Currencies sold in there: ${currencies.join(', ')}.`;
  }
}

export interface PurchaseLine {
  productId: string;
  skuId: string;
  quantity: number;
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
  const priced: { sku: Sku; quantity: number; unitPrice: string }[] = [];
  for (const [index, line] of input.lines.entries()) {
    const sku = await em.findOne(
      Sku,
      { skuId: line.skuId, product: { productId: line.productId } },
      { populate: ['product'] },
    );
    if (!sku) return new SkuNotFound(index, line.productId, line.skuId);
    if (line.quantity < sku.minimumQuantity || line.quantity > sku.maximumQuantity) {
      return new QuantityOutOfBounds(index, sku.minimumQuantity, sku.maximumQuantity);
    }
    if (closed.has(sku.kind)) return new ProductNotAvailableInMarket(index, market.code, sku.kind);
    const price = await priceAt(em, {
      sku,
      market: market.code,
      currency,
      segment: customer.segment,
      quantity: line.quantity,
      at: now,
    });
    if (!price) return new PriceNotFound(index, market.code, currency, market.currencies);
    priced.push({ sku, quantity: line.quantity, unitPrice: cutToMinorUnit(price.unitPrice, currency) });
  }
  return { orderId: await write(unit, customer, market, currency, priced) };
}

async function write(
  unit: UnitOfWork,
  customer: Customer,
  market: Market,
  currency: string,
  priced: { sku: Sku; quantity: number; unitPrice: string }[],
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
  for (const [index, { sku, quantity, unitPrice }] of priced.entries()) {
    const term = sku.termDuration ? termOf(now, sku.termDuration) : null;
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
