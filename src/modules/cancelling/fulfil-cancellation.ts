import { type Actor, recordActivity } from '../../activity-log/record-activity.js';
import { askClock, type Clock } from '../../context/clock.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { JobKind } from '../../domain/job-kind.js';
import type { Job, JobHandler } from '../../jobs/job.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { bookCredits } from '../billing/book.js';
import { DownloadLink, Entitlement, ProductKey } from '../entitlements/entitlement.entity.js';
import { fulfilmentFor } from '../fulfilling/fulfilment-actor.js';
import type { CancellationRequest, FulfilmentAnswer, FulfilmentProvider } from '../fulfilling/provider.js';
import { Cancellation, CancellationLine, Order, OrderLine } from '../orders/order.entity.js';
import { CancellationStatus, moveLine, OrderLineStatus, OrderStatus } from '../orders/order-status.js';

/** What fulfilling cancellations needs. */
export interface CancellationFulfilment {
  /** Runs work in a transaction. */
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;
  provider: FulfilmentProvider;
  clock: Clock;
}

/** Asks the provider for cancellations, and does what it answers (rule 17): in one transaction, all or nothing. */
export function cancellationJobs({ inTransaction, provider, clock }: CancellationFulfilment): JobHandler {
  return {
    attempt: async (job, signal) => {
      const answer = await provider.cancel(await inTransaction((em) => requestOf(em, job.id)), signal);
      return (em) => settle(em, job, answer, clock);
    },
    giveUp:
      (job, { reason, actor }) =>
      (em) =>
        settle(em, job, { refused: reason }, clock, actor),
  };
}

/**
 * Enqueues what is pending and has no job: cancellations from before there were jobs, and those of demonstration data.
 * They are answered within 15 minutes of their request (rule 17).
 */
export async function adoptCancellations(em: Em, jobs: JobQueue): Promise<void> {
  const pending = await em.execute<{ id: string; orderId: string; askedBy: string | null; delayMs: number }[]>(
    `select "id", "order_id" as "orderId", "requested_by_identity" as "askedBy",
        greatest(0, extract(epoch from "requested_at" + interval '14 minutes' - now()) * 1000)::int as "delayMs"
      from "cancellations" where "status" = 'PENDING'
      and not exists (select from "jobs" where "jobs"."id" = "cancellations"."id") order by "id"`,
  );
  for (const { id, orderId, askedBy, delayMs } of pending)
    await jobs.enqueue(em, { id, kind: JobKind.CANCELLATION, data: { orderId }, askedBy }, delayMs);
}

async function requestOf(em: Em, cancellationId: string): Promise<CancellationRequest> {
  const { order } = await em.findOneOrFail(Cancellation, { id: cancellationId }, { populate: ['order'] });
  const lines = await linesOf(em, cancellationId);
  return {
    cancellationId,
    orderNumber: order.number,
    lineNumbers: lines.map((line) => line.orderLine.lineNumber),
  };
}

function linesOf(em: Em, cancellation: string) {
  return em.find(
    CancellationLine,
    { cancellation },
    { populate: ['orderLine.sku.product'], orderBy: { orderLine: { lineNumber: 'asc' } } },
  );
}

/** Does what the provider answered, once. @param by who acts; null: fulfilment, in the name of who asked */
async function settle(
  em: Em,
  { id, data }: Job,
  answer: FulfilmentAnswer,
  clock: Clock,
  by: Actor | null = null,
): Promise<void> {
  const order = await em.findOneOrFail(Order, { id: data.orderId }, { lockMode: inLockOrder(em, 'ORDER') });
  const cancellation = await em.findOne(
    Cancellation,
    { id, order, status: CancellationStatus.PENDING },
    { lockMode: inLockOrder(em, 'CANCELLATION') },
  );
  if (!cancellation) return;
  const now = await askClock(em, clock);
  const cancelled = await linesOf(em, id);
  const lineNumbers = cancelled.map((line) => line.orderLine.lineNumber);
  if (answer === 'confirmed') await confirm(em, cancellation, order, cancelled, now);
  else refuse(cancellation, cancelled, answer.refused);

  const entry = {
    actor:
      by ??
      fulfilmentFor({
        identity: cancellation.requestedByIdentity,
        userPrincipalName: cancellation.requestedBy,
        role: cancellation.requestedByRole,
      }),
    customerId: cancellation.customer.id,
    orderId: order.id,
    productIds: [...new Set(cancelled.map((line) => line.orderLine.sku.product.productId))],
    resource: { type: 'ORDER' as const, id: toGlobalId('Order', order.id), label: order.number },
    correlationId: cancellation.correlationId,
  };
  if (answer === 'confirmed') {
    const detail = {
      cancellationId: cancellation.id,
      orderNumber: order.number,
      lineNumbers,
      credit: cancellation.credit,
      currency: cancellation.currency,
    };
    recordActivity(em, { action: 'CANCELLATION_CONFIRMED', outcome: 'SUCCEEDED', ...entry, detail });
  } else {
    recordActivity(em, {
      action: 'CANCELLATION_REFUSED',
      outcome: 'FAILED',
      ...entry,
      detail: { cancellationId: cancellation.id, orderNumber: order.number, lineNumbers, problem: answer.refused },
    });
  }
}

/** All of rule 17 in the caller's transaction: lines, order, keys, links, credit. */
async function confirm(
  em: Em,
  cancellation: Cancellation,
  order: Order,
  cancelled: CancellationLine[],
  now: Date,
): Promise<void> {
  for (const { orderLine } of cancelled) moveLine(orderLine, OrderLineStatus.CANCELLED);
  const standing = await em.count(OrderLine, {
    order,
    status: { $ne: OrderLineStatus.CANCELLED },
    id: { $nin: cancelled.map((line) => line.orderLine.id) },
  });
  if (standing === 0) order.status = OrderStatus.CANCELLED;
  cancellation.status = CancellationStatus.CONFIRMED;
  cancellation.confirmedAt = now;

  const entitlements = await em.find(Entitlement, { orderLine: { $in: cancelled.map((line) => line.orderLine.id) } });
  for (const entitlement of entitlements) {
    // A licence whose term has ended since it was cancelled has expired: nothing is revoked that is over.
    if (entitlement.expiresAt && entitlement.expiresAt <= now) continue;
    entitlement.status = 'REVOKED';
    entitlement.revokedAt = now;
  }
  await em.nativeDelete(ProductKey, { entitlement: { $in: entitlements } });
  await em.nativeUpdate(DownloadLink, { entitlement: { $in: entitlements }, revokedAt: null }, { revokedAt: now });

  await bookCredits(em, { customerId: cancellation.customer.id, currency: cancellation.currency }, cancelled, now);
}

function refuse(cancellation: Cancellation, cancelled: CancellationLine[], reason: string): void {
  cancellation.status = CancellationStatus.REFUSED;
  cancellation.refusalReason = reason;
  for (const line of cancelled) {
    line.standing = false;
    moveLine(line.orderLine, OrderLineStatus.ACTIVE);
  }
}
