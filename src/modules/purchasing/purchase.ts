import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { actingRole } from '../../auth/viewer.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId, newOrderNumber } from '../../domain/ids.js';
import { JobKind } from '../../domain/job-kind.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import type { CancellationTerms } from '../../domain/refund-option.js';
import { withIdempotency } from '../access/idempotency.js';
import { cancellationTermsAt } from '../catalog/policies-at.js';
import { Entitlement } from '../entitlements/entitlement.entity.js';
import type { Asking } from '../fulfilling/provider.js';
import { Order, OrderLine } from '../orders/order.entity.js';
import { OrderLineStatus, OrderStatus } from '../orders/order-status.js';
import { freezeOptions, lastExpiry } from '../orders/refund-options.js';
import { endOf } from '../orders/term.js';
import { charge } from './fulfil-purchase.js';
import { type AskedPurchase, type PricedPurchase, pricePurchase } from './price-purchase.js';
import { purchaseAccess } from './purchase.access.js';
import { recordPurchaseAnswer } from './record-purchase-answer.js';

/** A purchase that is asked for once, whatever happens. */
export interface Purchase extends AskedPurchase {
  idempotencyKey: string;
}

/**
 * Buys on behalf of a customer (rules 1 to 6). Order, lines, entitlements, the activity entry and the job commit together
 * or not at all: the order is PENDING until the provider has answered. Where nobody is to be asked it is confirmed at
 * once, and its charges and that entry commit with it. Answers the order's id, or CustomerNotFound, SkuNotFound, QuantityOutOfBounds,
 * ProductNotAvailableInMarket, PriceNotFound, IdempotencyKeyReused or RequestInProgress.
 * @param asking how the provider is asked; null: it confirms at once
 */
export function purchase(
  unit: UnitOfWork,
  asking: Asking | null,
  input: Purchase,
): Promise<{ orderId: string } | Problem> {
  const { idempotencyKey, ...asked } = input;
  return withIdempotency(unit, 'purchase', idempotencyKey, asked, () => place(unit, asking, input));
}

async function place(unit: UnitOfWork, asking: Asking | null, input: Purchase): Promise<{ orderId: string } | Problem> {
  const priced = await pricePurchase(unit, input, purchaseAccess['Mutation.purchase']);
  return isProblem(priced) ? priced : { orderId: await write(unit, asking, priced) };
}

async function write(
  unit: UnitOfWork,
  asking: Asking | null,
  { customer, market, currency, lines: priced, total }: PricedPurchase,
): Promise<string> {
  const { em, viewer, correlationId, now } = unit;
  const order = em.create(Order, {
    id: newId(),
    number: newOrderNumber(),
    customer,
    market,
    status: asking ? OrderStatus.PENDING : OrderStatus.COMPLETED,
    currency,
    total,
    taxIncluded: market.taxInclusive,
    placedAt: now,
    placedBy: viewer.userPrincipalName,
    placedByRole: actingRole(viewer),
    placedByIdentity: viewer.identity?.key ?? null,
    correlationId,
  });
  em.persist(order);
  const lines: OrderLine[] = [];
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
      status: asking ? OrderLineStatus.PENDING : OrderLineStatus.ACTIVE,
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
      status: asking ? 'PENDING' : 'ACTIVE',
      grantedAt: now,
      expiresAt: term ? endOf(term) : null,
    });
    em.persist([line, entitlement]);
    lines.push(line);
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
  if (asking)
    await asking.jobs.enqueue(
      em,
      { id: order.id, kind: JobKind.PURCHASE, data: { orderId: order.id }, askedBy: viewer.identity?.key ?? null },
      asking.delayMs,
    );
  else {
    await charge(em, order, lines, now);
    recordPurchaseAnswer(em, order, lines, 'confirmed', null);
  }
  return order.id;
}
