import type { Actor } from '../../activity-log/record-activity.js';
import { askClock, type Clock } from '../../context/clock.js';
import type { Em } from '../../database/orm.js';
import { write } from '../../database/writes.js';
import { JobKind } from '../../domain/job-kind.js';
import type { JobHandler } from '../../jobs/job.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { bookCharges } from '../billing/book.js';
import { giveUpIntent } from '../fulfilling/intents.js';
import type { FulfilmentProvider, PurchaseAnswer, PurchaseRequest } from '../fulfilling/provider.js';
import { lockOrder, readOrder } from '../orders/find-order.js';
import { OrderLineStatus, OrderStatus } from '../orders/order-status.js';
import { moveLines, type SoldLine } from '../orders/sold-line.js';
import { durationOf } from '../orders/term.js';
import { recordPurchaseAnswer } from './record-purchase-answer.js';

/** What fulfilling purchases needs. */
export interface PurchaseFulfilment {
  /** What reads outside of any transaction. */
  reads: () => Em;
  provider: FulfilmentProvider;
  clock: Clock;
}

/** Asks the provider for purchases, and does what it answers (rule 4): in one transaction, all or nothing. */
export function purchaseJobs({ reads, provider, clock }: PurchaseFulfilment): JobHandler {
  return {
    attempt: async ({ id }, signal) => {
      // One that asks for no purchases now confirms what was left by one that did.
      const answer = provider.purchase ? await provider.purchase(await requestOf(reads(), id), signal) : 'confirmed';
      return (em) => settle(em, id, answer, clock);
    },
    giveUp:
      ({ id }, by) =>
      async (em) => {
        const hindrance = await giveUpIntent(em, id, by);
        if (!hindrance) await settle(em, id, { refused: by.reason }, clock, by.actor);
        return hindrance;
      },
  };
}

/** Enqueues purchases that are pending and have no job, such as those whose job was lost with a backup of the database. */
export async function adoptPurchases(em: Em, jobs: JobQueue, delayMs: number): Promise<void> {
  const pending = await em.execute<{ id: string; askedBy: string | null }[]>(
    `select "id", "placed_by_identity" as "askedBy" from "orders" where "status" = 'PENDING' and not exists (select from "jobs" where "jobs"."id" = "orders"."id") order by "id"`,
  );
  for (const { id, askedBy } of pending) {
    jobs.enqueue(em, { id, kind: JobKind.PURCHASE, data: { orderId: id }, askedBy }, delayMs);
    // Its place in the queue comes after that of the one before.
    await em.flush();
  }
}

async function requestOf(em: Em, orderId: string): Promise<PurchaseRequest> {
  const found = await readOrder(em, orderId);
  if (!found) throw new Error(`there is no order ${orderId}`);
  const { order, lines } = found;
  return {
    orderId,
    orderNumber: order.number,
    tenantId: order.customer.tenantId,
    lines: lines.map(({ lineNumber, quantity, termStart, termEnd, billingPlan, sku: { productId, skuId } }) => ({
      lineNumber,
      productId,
      skuId,
      quantity,
      termDuration: termStart && termEnd ? durationOf({ start: termStart, end: termEnd }) : null,
      billingCycle: billingPlan.toLowerCase(),
    })),
  };
}

/** Does what the provider answered, once. @param by who acts; null: fulfilment, in the name of who bought */
async function settle(
  em: Em,
  id: string,
  answer: PurchaseAnswer,
  clock: Clock,
  by: Actor | null = null,
): Promise<void> {
  const found = await lockOrder(em, id);
  if (found?.order.status !== OrderStatus.PENDING) return;
  const { lines } = found;
  const order = { ...found.order, customerId: found.order.customer.id };
  const now = await askClock(em, clock);
  const refused = refusedOf(lines, answer);
  const confirmed = lines.filter((line) => !refused.includes(line));
  if (confirmed.length > 0) {
    const lineIds = confirmed.map((line) => line.id);
    write(em, `update orders set status = 'COMPLETED' where id = $1`, [id]);
    moveLines(em, confirmed, OrderLineStatus.ACTIVE);
    write(em, `update entitlements set status = 'ACTIVE' where order_line_id = any($1::uuid[])`, [lineIds]);
    bookCharges(em, order, confirmed, now);
    recordPurchaseAnswer(em, order, confirmed, 'confirmed', by);
  }
  if (refused.length === 0) return;
  const reason = reasonOf(answer);
  if (confirmed.length === 0)
    write(em, `update orders set status = 'REFUSED', refusal_reason = $2 where id = $1`, [id, reason]);
  moveLines(em, refused, OrderLineStatus.REFUSED);
  write(em, `update entitlements set status = 'REVOKED', revoked_at = $2 where order_line_id = any($1::uuid[])`, [
    refused.map((line) => line.id),
    now,
  ]);
  recordPurchaseAnswer(em, order, refused, { refused: reason }, by);
}

/** The lines that an answer refuses. */
function refusedOf(lines: SoldLine[], answer: PurchaseAnswer): SoldLine[] {
  if (answer === 'confirmed') return [];
  if ('refused' in answer) return lines;
  return lines.filter((line) => answer.refusedLines.some(({ lineNumber }) => lineNumber === line.lineNumber));
}

function reasonOf(answer: PurchaseAnswer): string {
  if (answer === 'confirmed') return '';
  return 'refused' in answer ? answer.refused : [...new Set(answer.refusedLines.map(({ reason }) => reason))].join(' ');
}
