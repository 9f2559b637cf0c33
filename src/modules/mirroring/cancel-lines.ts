import { sql } from 'kysely';
import { askClock, type Clock } from '../../context/clock.js';
import type { Em } from '../../database/orm.js';
import { insert } from '../../database/writes.js';
import { newId } from '../../domain/ids.js';
import { JobKind } from '../../domain/job-kind.js';
import { formatAmount, sum } from '../../domain/money.js';
import { RefundType } from '../../domain/product-kind.js';
import { creditFor, type LineCredit } from '../cancelling/credit.js';
import { settleCancellation } from '../cancelling/fulfil-cancellation.js';
import { lockOrder } from '../orders/find-order.js';
import { Cancellation, CancellationLine } from '../orders/order.entity.js';
import { CancellationStatus, OrderLineStatus } from '../orders/order-status.js';
import { optionAt, refundTypeAt } from '../orders/refund-options.js';
import { moveLines, type SoldLine } from '../orders/sold-line.js';
import type { KnownLine } from './known-lines.js';
import type { Mirror } from './mirror.js';

/** Who acts where the upstream does what nobody here asked for. */
export const upstreamActor = {
  identity: null,
  userPrincipalName: 'partner-center',
  role: 'PARTNER_CENTER',
  application: 'Partner Center',
};

/**
 * Cancels lines that came by the mirror, as the upstream has: their licences, keys and links go. Nothing was charged for them
 * here, so nothing is given back. Their orders are locked. Answers how many.
 */
export async function cancelMirrored(em: Em, lines: readonly KnownLine[]): Promise<number> {
  if (lines.length === 0) return 0;
  const kysely = em.getKysely();
  const ids = lines.map(({ orderLineId }) => orderLineId);
  const orderIds = [...new Set(lines.map(({ orderId }) => orderId))];
  await sql`update "order_lines" set "status" = 'CANCELLED' where "id" = any(${ids}::uuid[]) and "status" = 'ACTIVE'`.execute(
    kysely,
  );
  await sql`
    update "orders" set "status" = 'CANCELLED' where "id" = any(${orderIds}::uuid[]) and "status" = 'COMPLETED' and not exists (
      select from "order_lines" where "order_id" = "orders"."id" and "status" not in ('CANCELLED', 'REFUSED'))`.execute(
    kysely,
  );
  await sql`
    update "entitlements" set "status" = 'REVOKED', "revoked_at" = now()
    where "order_line_id" = any(${ids}::uuid[]) and "status" <> 'REVOKED'`.execute(kysely);
  const ofLines = sql`"entitlement_id" in (select "id" from "entitlements" where "order_line_id" = any(${ids}::uuid[]))`;
  await sql`delete from "product_keys" where ${ofLines}`.execute(kysely);
  await sql`update "download_links" set "revoked_at" = now() where ${ofLines} and "revoked_at" is null`.execute(kysely);
  return ids.length;
}

/** Cancels lines that were bought through the gateway, each order in a transaction of its own. Answers how many. */
export async function cancelAllBought(
  { inTransaction, clock }: Pick<Mirror, 'inTransaction' | 'clock'>,
  lines: readonly KnownLine[],
): Promise<number> {
  let cancelled = 0;
  for (const orderId of new Set(lines.map((line) => line.orderId))) {
    const ids = lines.filter((line) => line.orderId === orderId).map(({ orderLineId }) => orderLineId);
    cancelled += await inTransaction((em) => cancelBought(em, orderId, ids, clock));
  }
  return cancelled;
}

/**
 * Cancels lines that were bought through the gateway, and that somebody has cancelled upstream by another way: with the
 * credit that their refund options give now, as though it had been asked for here. In a transaction of its own.
 */
async function cancelBought(em: Em, orderId: string, lineIds: readonly string[], clock: Clock): Promise<number> {
  const found = await lockOrder(em, orderId);
  const lines = (found?.lines ?? []).filter(
    ({ id, status }) => lineIds.includes(id) && status === OrderLineStatus.ACTIVE,
  );
  if (!found || lines.length === 0) return 0;
  const { order } = found;
  const now = await askClock(em, clock);
  const credits = lines.map((line) => ({ line, ...creditOf(line, order.currency, now) }));
  const cancellationId = newId();
  const credit = sum(
    credits.map((line) => line.credit),
    order.currency,
  );
  insert(em, Cancellation, {
    id: cancellationId,
    order: orderId,
    customer: order.customer.id,
    status: CancellationStatus.PENDING,
    credit,
    currency: order.currency,
    requestedAt: now,
    requestedBy: upstreamActor.userPrincipalName,
    requestedByRole: upstreamActor.role,
    correlationId: cancellationId,
  });
  for (const { line, ...given } of credits)
    insert(em, CancellationLine, {
      id: newId(),
      cancellation: cancellationId,
      orderLine: line.id,
      quantity: line.quantity,
      standing: true,
      ...given,
    });
  moveLines(em, lines, OrderLineStatus.CANCELLATION_PENDING);
  await em.flush();
  const job = { id: cancellationId, kind: JobKind.CANCELLATION, data: { orderId } };
  await settleCancellation(em, job, 'confirmed', clock, upstreamActor);
  return lines.length;
}

/** What a line gives back by the option that holds; nothing where none does any more, and the upstream cancelled it all the same. */
function creditOf(line: SoldLine, currency: string, at: Date): LineCredit {
  const { refundOptions, termStart, termEnd, unitPrice, quantity } = line;
  const nothing = formatAmount('0', currency);
  if (!optionAt(refundOptions, at))
    return { refundType: RefundType.FULL, unitCredit: nothing, credit: nothing, termDays: null, unusedDays: null };
  const term = termStart && termEnd ? { start: termStart, end: termEnd } : null;
  return creditFor({ unitPrice, quantity, term, refundType: refundTypeAt(refundOptions, at) }, currency, at);
}
