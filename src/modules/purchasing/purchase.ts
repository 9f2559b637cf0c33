import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { actingRole } from '../../auth/viewer.js';
import type { UnitOfWork } from '../../context/transaction.js';
import type { Em } from '../../database/orm.js';
import { insert } from '../../database/writes.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId, newOrderNumber } from '../../domain/ids.js';
import { JobKind } from '../../domain/job-kind.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import { withIdempotency } from '../access/idempotency.js';
import { bookCharges } from '../billing/book.js';
import { Entitlement } from '../entitlements/entitlement.entity.js';
import { keepIntent } from '../fulfilling/intents.js';
import type { Asking } from '../fulfilling/provider.js';
import { Order, OrderLine } from '../orders/order.entity.js';
import { OrderLineStatus, OrderStatus } from '../orders/order-status.js';
import { freezeOptions, lastExpiry } from '../orders/refund-options.js';
import { type ChargedLine, productIdsOf } from '../orders/sold-line.js';
import { endOf } from '../orders/term.js';
import { type AskedPurchase, type PricedPurchase, type PricedPurchaseLine, pricePurchase } from './price-purchase.js';
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
  return withIdempotency(unit, asked, () => place(unit, asking, input));
}

async function place(unit: UnitOfWork, asking: Asking | null, input: Purchase): Promise<{ orderId: string } | Problem> {
  const priced = await pricePurchase(unit, input, purchaseAccess['Mutation.purchase']);
  return isProblem(priced) ? priced : { orderId: await write(unit, asking, priced) };
}

async function write(
  { em, viewer, correlationId, now }: UnitOfWork,
  asking: Asking | null,
  { buyer, currency, lines: priced, total }: PricedPurchase,
): Promise<string> {
  const { customerId } = buyer;
  const order = {
    id: newId(),
    number: newOrderNumber(),
    customerId,
    currency,
    total,
    placedBy: viewer.userPrincipalName,
    placedByRole: actingRole(viewer),
    placedByIdentity: viewer.identity?.key ?? null,
    correlationId,
  };
  const { customerId: customer, ...kept } = order;
  insert(em, Order, {
    ...kept,
    customer,
    market: buyer.market,
    status: asking ? OrderStatus.PENDING : OrderStatus.COMPLETED,
    taxIncluded: buyer.taxInclusive,
    placedAt: now,
  });
  const lines = priced.map((line, lineNumber) => insertLine(em, { order, lineNumber, ...line }, asking !== null, now));
  recordActivity(em, {
    action: 'ORDER_PLACED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId,
    orderId: order.id,
    productIds: productIdsOf(lines),
    resource: { type: 'ORDER', id: toGlobalId('Order', order.id), label: order.number },
    correlationId,
    detail: { orderNumber: order.number, lineCount: lines.length, total, currency },
  });
  if (asking?.keepsIntents) keepIntent(em, order.id, JobKind.PURCHASE, order.id);
  if (asking)
    asking.jobs.enqueue(
      em,
      { id: order.id, kind: JobKind.PURCHASE, data: { orderId: order.id }, askedBy: order.placedByIdentity },
      asking.delayMs,
    );
  else {
    bookCharges(em, order, lines, now);
    recordPurchaseAnswer(em, order, lines, 'confirmed', null);
  }
  return order.id;
}

/** Inserts a line with all that a cancellation is judged by frozen on it, and what the customer owns by it. */
function insertLine(
  em: Em,
  line: PricedPurchaseLine & { order: { id: string; customerId: string }; lineNumber: number },
  isPending: boolean,
  now: Date,
): ChargedLine {
  const { order, lineNumber, sku, quantity, unitPrice, total, term } = line;
  const id = newId();
  const refundOptions = freezeOptions(sku.refundOptions, now);
  const [termStart, termEnd] = [term?.start ?? null, term?.end ?? null];
  insert(em, OrderLine, {
    id,
    order: order.id,
    lineNumber,
    sku: sku.id,
    quantity,
    unitPrice,
    total,
    status: isPending ? OrderLineStatus.PENDING : OrderLineStatus.ACTIVE,
    refundOptions,
    cancellableUntil: lastExpiry(refundOptions),
    supportRequestRequired: sku.supportRequestRequired,
    termStart,
    termEnd,
    billingPlan: sku.billingPlan,
  });
  insert(em, Entitlement, {
    id: newId(),
    orderLine: id,
    customer: order.customerId,
    sku: sku.id,
    quantity,
    status: isPending ? 'PENDING' : 'ACTIVE',
    grantedAt: now,
    expiresAt: term ? endOf(term) : null,
  });
  return { id, quantity, unitPrice, total, termStart, termEnd, sku };
}
