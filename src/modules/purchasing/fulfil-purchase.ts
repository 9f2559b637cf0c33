import type { Actor } from '../../activity-log/record-activity.js';
import { askClock, type Clock } from '../../context/clock.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { JobKind } from '../../domain/job-kind.js';
import type { JobHandler } from '../../jobs/job.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { bookCharges } from '../billing/book.js';
import { Entitlement } from '../entitlements/entitlement.entity.js';
import type { FulfilmentAnswer, FulfilmentProvider, PurchaseRequest } from '../fulfilling/provider.js';
import { Order, OrderLine } from '../orders/order.entity.js';
import { moveLine, OrderLineStatus, OrderStatus } from '../orders/order-status.js';
import { recordPurchaseAnswer } from './record-purchase-answer.js';

/** What fulfilling purchases needs. */
export interface PurchaseFulfilment {
  /** Runs work in a transaction. */
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;
  provider: FulfilmentProvider;
  clock: Clock;
}

/** Asks the provider for purchases, and does what it answers (rule 4): in one transaction, all or nothing. */
export function purchaseJobs({ inTransaction, provider, clock }: PurchaseFulfilment): JobHandler {
  return {
    attempt: async ({ id }, signal) => {
      // One that asks for no purchases now confirms what was left by one that did.
      const answer = provider.purchase
        ? await provider.purchase(await inTransaction((em) => requestOf(em, id)), signal)
        : 'confirmed';
      return (em) => settle(em, id, answer, clock);
    },
    giveUp:
      ({ id }, { reason, actor }) =>
      (em) =>
        settle(em, id, { refused: reason }, clock, actor),
  };
}

/** Enqueues purchases that are pending and have no job, such as those whose job was lost with a backup of the database. */
export async function adoptPurchases(em: Em, jobs: JobQueue, delayMs: number): Promise<void> {
  const pending = await em.execute<{ id: string; askedBy: string | null }[]>(
    `select "id", "placed_by_identity" as "askedBy" from "orders" where "status" = 'PENDING' and not exists (select from "jobs" where "jobs"."id" = "orders"."id") order by "id"`,
  );
  for (const { id, askedBy } of pending)
    await jobs.enqueue(em, { id, kind: JobKind.PURCHASE, data: { orderId: id }, askedBy }, delayMs);
}

async function requestOf(em: Em, orderId: string): Promise<PurchaseRequest> {
  const { number, customer } = await em.findOneOrFail(Order, { id: orderId }, { populate: ['customer'] });
  const lines = await linesOf(em, orderId);
  return {
    orderId,
    orderNumber: number,
    tenantId: customer.tenantId,
    lines: lines.map(({ lineNumber, sku, quantity }) => ({
      lineNumber,
      productId: sku.product.productId,
      skuId: sku.skuId,
      quantity,
    })),
  };
}

function linesOf(em: Em, order: string) {
  return em.find(OrderLine, { order }, { populate: ['sku.product'], orderBy: { lineNumber: 'asc' } });
}

/** Does what the provider answered, once. @param by who acts; null: fulfilment, in the name of who bought */
async function settle(
  em: Em,
  id: string,
  answer: FulfilmentAnswer,
  clock: Clock,
  by: Actor | null = null,
): Promise<void> {
  const order = await em.findOne(
    Order,
    { id, status: OrderStatus.PENDING },
    { lockMode: inLockOrder(em, 'ORDER'), populate: ['customer'] },
  );
  if (!order) return;
  const now = await askClock(em, clock);
  const lines = await linesOf(em, id);
  const entitlements = await em.find(Entitlement, { orderLine: { $in: lines } });
  if (answer === 'confirmed') {
    order.status = OrderStatus.COMPLETED;
    for (const line of lines) moveLine(line, OrderLineStatus.ACTIVE);
    for (const entitlement of entitlements) entitlement.status = 'ACTIVE';
    await charge(em, order, lines, now);
  } else {
    order.status = OrderStatus.REFUSED;
    order.refusalReason = answer.refused;
    for (const line of lines) moveLine(line, OrderLineStatus.REFUSED);
    for (const entitlement of entitlements) {
      entitlement.status = 'REVOKED';
      entitlement.revokedAt = now;
    }
  }
  recordPurchaseAnswer(em, order, lines, answer, by);
}

/** Charges a confirmed purchase: what the provider refuses was never on an invoice. */
export async function charge(em: Em, order: Order, lines: OrderLine[], now: Date): Promise<void> {
  await bookCharges(em, { customerId: order.customer.id, currency: order.currency }, lines, now);
}
