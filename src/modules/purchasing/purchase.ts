import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId, newOrderNumber } from '../../domain/ids.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import type { CancellationTerms } from '../../domain/refund-option.js';
import { withIdempotency } from '../access/idempotency.js';
import { bookCharge, openInvoice } from '../billing/book.js';
import { cancellationTermsAt } from '../catalog/policies-at.js';
import { Entitlement } from '../entitlements/entitlement.entity.js';
import { Order, OrderLine } from '../orders/order.entity.js';
import { OrderLineStatus, OrderStatus } from '../orders/order-status.js';
import { freezeOptions, lastExpiry } from '../orders/refund-options.js';
import { endOf } from '../orders/term.js';
import { type AskedPurchase, type PricedPurchase, pricePurchase } from './price-purchase.js';
import { purchaseAccess } from './purchase.access.js';

/** A purchase that is asked for once, whatever happens. */
export interface Purchase extends AskedPurchase {
  idempotencyKey: string;
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
  const priced = await pricePurchase(unit, input, purchaseAccess['Mutation.purchase']);
  return isProblem(priced) ? priced : { orderId: await write(unit, priced) };
}

async function write(
  unit: UnitOfWork,
  { customer, market, currency, lines: priced, total }: PricedPurchase,
): Promise<string> {
  const { em, viewer, correlationId, now } = unit;
  const order = em.create(Order, {
    id: newId(),
    number: newOrderNumber(),
    customer,
    market,
    status: OrderStatus.COMPLETED,
    currency,
    total,
    taxIncluded: market.taxInclusive,
    placedAt: now,
    placedBy: viewer.userPrincipalName,
    correlationId,
  });
  em.persist(order);
  const invoice = await openInvoice(em, customer.id, currency, now);
  const skuIds = priced.map(({ sku }) => sku.id);
  const terms = await cancellationTermsAt(em, skuIds, now);
  for (const [index, { sku, quantity, unitPrice, total, term, billingPlan }] of priced.entries()) {
    const { refundOptions, supportRequestRequired } = terms.get(sku.id) as CancellationTerms;
    const sold = freezeOptions(refundOptions, now);
    const line = em.create(OrderLine, {
      id: newId(),
      order,
      lineNumber: index,
      sku,
      quantity,
      unitPrice,
      total,
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
