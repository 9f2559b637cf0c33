import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { actingRole } from '../../auth/viewer.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { insert } from '../../database/writes.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId } from '../../domain/ids.js';
import { JobKind } from '../../domain/job-kind.js';
import { isProblem, Problem } from '../../domain/problem.js';
import type { Signer } from '../../lib/signing.js';
import { withIdempotency } from '../access/idempotency.js';
import { keepIntent } from '../fulfilling/intents.js';
import type { Asking } from '../fulfilling/provider.js';
import { type FoundOrder, lockOrderWithLines, OrderNotFound } from '../orders/find-order.js';
import { Cancellation, CancellationLine } from '../orders/order.entity.js';
import { CancellationStatus, OrderLineStatus } from '../orders/order-status.js';
import { moveLines, productIdsOf } from '../orders/sold-line.js';
import { type Assessment, assess, chooseLines } from './assess-cancellation.js';
import { cancelOrderAccess } from './cancel-order.access.js';
import { AcknowledgementRequired } from './cancellation-problems.js';
import { honourQuote } from './quote.js';

export interface CancelOrder {
  idempotencyKey: string;
  /** Id of the order's row. */
  orderId: string;
  /** Null: every line that stands. */
  lineNumbers: number[] | null;
  acknowledged: boolean;
  quoteToken: string | null;
  reason: string | null;
}

/**
 * Asks to cancel lines of an order (rules 12 to 20): at once they are CANCELLATION_PENDING, fulfilment confirms later.
 * Answers ids, or one of the problems of cancellation-problems.ts, IdempotencyKeyReused or RequestInProgress.
 */
export async function cancelOrder(
  unit: UnitOfWork,
  signer: Signer,
  asking: Asking,
  input: CancelOrder,
): Promise<{ orderId: string; cancellationId: string } | Problem> {
  const { idempotencyKey, ...asked } = input;
  return withIdempotency(unit, asked, async () => {
    if (!input.acknowledged) return new AcknowledgementRequired();
    const { em, viewer, now } = unit;
    const found = await lockOrderWithLines(em, viewer, input.orderId, cancelOrderAccess['Mutation.cancelOrder']);
    if (!found) return new OrderNotFound();
    const { order } = found;
    const lines = chooseLines(found.lines, input.lineNumbers);
    if (isProblem(lines)) return lines;
    const assessment = input.quoteToken
      ? await honourQuote(signer, input.quoteToken, order, lines, now)
      : assess(order, lines, now);
    if (isProblem(assessment)) return assessment;
    return { orderId: order.id, cancellationId: await request(unit, order, assessment, input.reason, asking) };
  });
}

async function request(
  unit: UnitOfWork,
  order: FoundOrder,
  assessment: Assessment,
  reason: string | null,
  asking: Asking,
): Promise<string> {
  const { em, viewer, correlationId, now } = unit;
  const cancellationId = newId();
  const askedBy = viewer.identity?.key ?? null;
  const lines = assessment.lines.map(({ line }) => line);
  insert(em, Cancellation, {
    id: cancellationId,
    order: order.id,
    customer: order.customer.id,
    status: CancellationStatus.PENDING,
    credit: assessment.credit,
    currency: assessment.currency,
    reason,
    requestedAt: now,
    requestedBy: viewer.userPrincipalName,
    requestedByRole: actingRole(viewer),
    requestedByIdentity: askedBy,
    correlationId,
  });
  moveLines(em, lines, OrderLineStatus.CANCELLATION_PENDING);
  for (const { line, ...credit } of assessment.lines)
    insert(em, CancellationLine, {
      id: newId(),
      cancellation: cancellationId,
      orderLine: line.id,
      quantity: line.quantity,
      standing: true,
      ...credit,
    });
  recordActivity(em, {
    action: 'CANCELLATION_REQUESTED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: order.customer.id,
    orderId: order.id,
    productIds: productIdsOf(lines),
    resource: { type: 'ORDER', id: toGlobalId('Order', order.id), label: order.number },
    correlationId,
    detail: {
      cancellationId,
      orderNumber: order.number,
      lineNumbers: lines.map((line) => line.lineNumber),
      credit: assessment.credit,
      currency: assessment.currency,
      reason,
    },
  });
  const { jobs, delayMs, keepsIntents } = asking;
  if (keepsIntents) keepIntent(em, cancellationId, JobKind.CANCELLATION, order.id);
  jobs.enqueue(em, { id: cancellationId, kind: JobKind.CANCELLATION, data: { orderId: order.id }, askedBy }, delayMs);
  return cancellationId;
}
