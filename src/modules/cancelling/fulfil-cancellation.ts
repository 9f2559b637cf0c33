import { type Actor, recordActivity } from '../../activity-log/record-activity.js';
import { CLOCK_COLUMN, type Clock, instantOf } from '../../context/clock.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { PLANNED_ONCE, prepared } from '../../database/prepared.js';
import { query } from '../../database/query.js';
import { write } from '../../database/writes.js';
import { toGlobalId } from '../../domain/global-id.js';
import { JobKind } from '../../domain/job-kind.js';
import type { Job, JobHandler } from '../../jobs/job.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { bookCredits, type CreditedLine } from '../billing/book.js';
import { fulfilmentFor } from '../fulfilling/fulfilment-actor.js';
import { giveUpIntent } from '../fulfilling/intents.js';
import type { CancellationRequest, FulfilmentAnswer, FulfilmentProvider } from '../fulfilling/provider.js';
import { FOUND_ORDER, type FoundOrder } from '../orders/find-order.js';
import { OrderLineStatus } from '../orders/order-status.js';
import {
  moveLines,
  productIdsOf,
  SOLD_LINE,
  type SoldLine,
  type SoldLineRow,
  soldLineOf,
} from '../orders/sold-line.js';

/** What fulfilling cancellations needs. */
export interface CancellationFulfilment {
  /** What reads outside of any transaction. */
  reads: () => Em;
  provider: FulfilmentProvider;
  clock: Clock;
}

/** Asks the provider for cancellations, and does what it answers (rule 17): in one transaction, all or nothing. */
export function cancellationJobs({ reads, provider, clock }: CancellationFulfilment): JobHandler {
  return {
    attempt: async (job, signal) => {
      const answer = await provider.cancel(await requestOf(reads(), job.id), signal);
      return (em) => settleCancellation(em, job, answer, clock);
    },
    giveUp: (job, by) => async (em) => {
      const hindrance = await giveUpIntent(em, job.id, by);
      if (!hindrance) await settleCancellation(em, job, { refused: by.reason }, clock, by.actor);
      return hindrance;
    },
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
  for (const { id, orderId, askedBy, delayMs } of pending) {
    jobs.enqueue(em, { id, kind: JobKind.CANCELLATION, data: { orderId }, askedBy }, delayMs);
    // Its place in the queue comes after that of the one before.
    await em.flush();
  }
}

const LINE_NUMBERS = prepared(
  'lines of a cancellation',
  `select o.id as "orderId", o.number as "orderNumber", c.tenant_id as "tenantId", l.line_number as "lineNumber"
  from cancellation_lines x join order_lines l on l.id = x.order_line_id join orders o on o.id = l.order_id
  join customers c on c.id = o.customer_id
  where x.cancellation_id = $1 order by l.line_number`,
);

async function requestOf(em: Em, cancellationId: string): Promise<CancellationRequest> {
  const lines = await query<{ orderId: string; orderNumber: string; tenantId: string; lineNumber: number }>(
    em,
    LINE_NUMBERS,
    [cancellationId],
  );
  const [first] = lines;
  if (!first) throw new Error(`there is no cancellation ${cancellationId}`);
  return {
    cancellationId,
    orderId: first.orderId,
    orderNumber: first.orderNumber,
    tenantId: first.tenantId,
    lineNumbers: lines.map(({ lineNumber }) => lineNumber),
  };
}

/** A line of a cancellation, as it is credited. */
type Credited = Omit<CreditedLine, 'line'> & { line: SoldLine };

/** A cancellation that waits for its answer, with its order. */
interface Pending {
  order: FoundOrder;
  credit: string;
  requestedBy: string;
  requestedByRole: string;
  requestedByIdentity: string | null;
  /** Correlation id of the request. */
  causedBy: string;
  credits: Credited[];
  /** The time once it was locked. */
  now: Date;
}

type PendingRow = Omit<Pending, 'credits' | 'now'> & SoldLineRow & { credited: Omit<CreditedLine, 'line'>; at: string };

const PENDING = `select ${FOUND_ORDER}, x.credit::text as "credit", x.requested_by as "requestedBy",
    x.requested_by_role as "requestedByRole", x.requested_by_identity as "requestedByIdentity",
    x.correlation_id as "causedBy",
    jsonb_build_object('id', y.id, 'quantity', y.quantity, 'unitCredit', y.unit_credit::text,
      'credit', y.credit::text, 'unusedDays', y.unused_days) as "credited", ${SOLD_LINE}
  from orders o join customers c on c.id = o.customer_id
  join cancellations x on x.order_id = o.id join cancellation_lines y on y.cancellation_id = x.id
  join order_lines l on l.id = y.order_line_id join skus s on s.id = l.sku_id join products p on p.id = s.product_id
  where o.id = $1 and x.id = $2 and x.status = 'PENDING' order by l.line_number`;

/** A cancellation that is still to be settled, which nobody else changes before the transaction ends; else null. */
async function lockPending(em: Em, { id, data }: Job, clock: Clock): Promise<Pending | null> {
  inLockOrder(em, 'ORDER');
  inLockOrder(em, 'CANCELLATION');
  // The clock is asked outside of what locks: after it.
  const locking = prepared(
    'cancellation to settle',
    `select locked.*, ${CLOCK_COLUMN}, ${PLANNED_ONCE} from (${PENDING} for update of o, x, l) locked`,
  );
  const rows = await query<PendingRow>(em, locking, [data.orderId, id]);
  const [first] = rows;
  if (!first) return null;
  return {
    ...first,
    credits: rows.map(({ credited, ...row }) => ({ line: soldLineOf(row), ...credited })),
    now: clock(instantOf(first.at)),
  };
}

/** Does what the provider answered, once. @param by who acts; null: fulfilment, in the name of who asked */
export async function settleCancellation(
  em: Em,
  job: Job,
  answer: FulfilmentAnswer,
  clock: Clock,
  by: Actor | null = null,
): Promise<void> {
  const { id } = job;
  const pending = await lockPending(em, job, clock);
  if (!pending) return;
  const { order } = pending;
  const lines = pending.credits.map(({ line }) => line);
  if (answer === 'confirmed') await confirm(em, id, pending);
  else refuse(em, id, lines, answer.refused);

  const entry = {
    actor:
      by ??
      fulfilmentFor({
        identity: pending.requestedByIdentity,
        userPrincipalName: pending.requestedBy,
        role: pending.requestedByRole,
      }),
    customerId: order.customer.id,
    orderId: order.id,
    productIds: productIdsOf(lines),
    resource: { type: 'ORDER' as const, id: toGlobalId('Order', order.id), label: order.number },
    correlationId: pending.causedBy,
  };
  const detail = {
    cancellationId: id,
    orderNumber: order.number,
    lineNumbers: lines.map(({ lineNumber }) => lineNumber),
  };
  if (answer === 'confirmed') {
    const given = { ...detail, credit: pending.credit, currency: order.currency };
    recordActivity(em, { action: 'CANCELLATION_CONFIRMED', outcome: 'SUCCEEDED', ...entry, detail: given });
  } else {
    const refused = { ...detail, problem: answer.refused };
    recordActivity(em, { action: 'CANCELLATION_REFUSED', outcome: 'FAILED', ...entry, detail: refused });
  }
}

/** All of rule 17 in the caller's transaction: lines, order, keys, links, credit. */
async function confirm(em: Em, id: string, { order, credits, now }: Pending): Promise<void> {
  const lines = credits.map(({ line }) => line);
  const lineIds = lines.map((line) => line.id);
  moveLines(em, lines, OrderLineStatus.CANCELLED);
  write(
    em,
    `update orders set status = 'CANCELLED' where id = $1 and not exists (
      select from order_lines where order_id = $1 and status not in ('CANCELLED', 'REFUSED') and id <> all($2::uuid[])
    )`,
    [order.id, lineIds],
  );
  write(em, `update cancellations set status = 'CONFIRMED', confirmed_at = $2 where id = $1`, [id, now]);
  // A licence whose term has ended since it was cancelled has expired: nothing is revoked that is over.
  write(
    em,
    `update entitlements set status = 'REVOKED', revoked_at = $2
    where order_line_id = any($1::uuid[]) and (expires_at is null or expires_at > $2)`,
    [lineIds, now],
  );
  const ofLines = 'entitlement_id in (select id from entitlements where order_line_id = any($1::uuid[]))';
  write(em, `delete from product_keys where ${ofLines}`, [lineIds]);
  write(em, `update download_links set revoked_at = $2 where ${ofLines} and revoked_at is null`, [lineIds, now]);
  const { customer, currency } = order;
  bookCredits(em, { id: order.id, customerId: customer.id, currency }, credits, now);
}

function refuse(em: Em, id: string, lines: readonly SoldLine[], reason: string): void {
  write(em, `update cancellations set status = 'REFUSED', refusal_reason = $2 where id = $1`, [id, reason]);
  write(em, 'update cancellation_lines set standing = false where cancellation_id = $1', [id]);
  moveLines(em, lines, OrderLineStatus.ACTIVE);
}
