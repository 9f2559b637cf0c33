import { sum } from '../../domain/money.js';
import { creditFor } from '../../modules/cancelling/credit.js';
import { CancellationStatus, OrderLineStatus } from '../../modules/orders/order-status.js';
import { refundTypeAt } from '../../modules/orders/refund-options.js';
import type { Demo } from './demo.js';
import type { DemoLine, DemoOrder } from './demo-order.js';
import { demoId } from './numbers.js';
import { productIdsOf } from './orders.js';
import { agents } from './people.js';

const MINUTE_MS = 60_000;
/** Fulfilment answers within 15 minutes (rule 17). */
const LONGEST_FULFILMENT_MS = 15 * MINUTE_MS;
/** How many of a hundred orders that may be cancelled are, and how many of those fulfilment refuses. */
const CANCELLED_SHARE = 0.14;
const REFUSED_SHARE = 0.08;

/** Why fulfilment refuses those. */
const REFUSAL = 'The key was activated on more machines than the licence allows';

const reasons = [
  'Ordered twice',
  'Wrong edition',
  'The project was called off',
  'The customer wants a subscription instead',
  'Too many licences',
  null,
  null,
];

/** Cancels one order in seven of those that may be, wholly or in part, inside the window and before now. */
export function maybeCancel(demo: Demo, order: DemoOrder): void {
  const { random } = demo;
  const open = order.lines.filter(({ cancellableUntil }) => cancellableUntil !== null);
  if (open.length === 0 || !random.chance(CANCELLED_SHARE)) return;
  const lines = random.chance(0.6) ? open : [random.pick(open)];
  const earliest = order.placedAt.getTime() + 20 * MINUTE_MS;
  const latest = Math.min(
    demo.now.getTime() - LONGEST_FULFILMENT_MS,
    ...lines.map((line) => (line.cancellableUntil as Date).getTime()),
  );
  if (latest <= earliest) return;
  const requestedAt = new Date(Math.floor(earliest + random.fraction() * (latest - earliest)));
  cancelLines(
    demo,
    order,
    lines,
    requestedAt,
    random.chance(REFUSED_SHARE) ? CancellationStatus.REFUSED : CancellationStatus.CONFIRMED,
  );
}

/** Cancels lines of an order at an instant, with the outcome that fulfilment gave or, PENDING, has yet to give. */
export function cancelLines(
  demo: Demo,
  order: DemoOrder,
  lines: readonly DemoLine[],
  requestedAt: Date,
  status: CancellationStatus,
): void {
  const { random } = demo;
  const isPending = status === CancellationStatus.PENDING;
  const fulfilmentMs = isPending ? LONGEST_FULFILMENT_MS : random.whole(2_000, LONGEST_FULFILMENT_MS - 1_000);
  const answeredAt = new Date(requestedAt.getTime() + fulfilmentMs + random.whole(20, 400));
  const requestedBy = random.pick(agents);
  const reason = random.pick(reasons);
  const id = demoId(demo.seed, `order/${order.index}/cancellation/${order.cancellations}`);
  const correlationId = demo.activity.nextCorrelationId(demo);
  const credits = lines.map((line) => ({
    line,
    id: demoId(demo.seed, `order/${order.index}/cancellation/${order.cancellations}/line/${line.lineNumber}`),
    credit: creditFor(
      { ...line, refundType: refundTypeAt(line.refundOptions, requestedAt) },
      order.currency,
      requestedAt,
    ),
  }));
  const credit = sum(
    credits.map((one) => one.credit.credit),
    order.currency,
  );
  order.cancellations += 1;

  demo.batch.add('cancellations', {
    id,
    order_id: order.id,
    customer_id: order.customer.id,
    status,
    credit,
    currency: order.currency,
    reason,
    requested_at: requestedAt.toISOString(),
    requested_by: requestedBy.userPrincipalName,
    requested_by_role: requestedBy.role,
    requested_by_identity: requestedBy.identity?.key ?? null,
    refusal_reason: status === CancellationStatus.REFUSED ? REFUSAL : null,
    confirmed_at: status === CancellationStatus.CONFIRMED ? answeredAt.toISOString() : null,
    correlation_id: correlationId,
  });
  for (const one of credits) {
    demo.batch.add('cancellation_lines', {
      id: one.id,
      cancellation_id: id,
      order_line_id: one.line.id,
      refund_type: one.credit.refundType,
      unit_credit: one.credit.unitCredit,
      quantity: one.line.quantity,
      credit: one.credit.credit,
      term_days: one.credit.termDays,
      unused_days: one.credit.unusedDays,
      standing: status !== CancellationStatus.REFUSED,
    });
  }

  const lineNumbers = lines.map(({ lineNumber }) => lineNumber);
  const about = {
    customerId: order.customer.id,
    orderId: order.id,
    productIds: productIdsOf(lines),
    resource: { type: 'ORDER', id: order.id, label: order.number },
    correlationId,
  } as const;
  const detail = { cancellationId: id, orderNumber: order.number, lineNumbers, credit, currency: order.currency };
  const fulfilment = { ...requestedBy, application: 'fulfilment' };
  demo.activity.write(demo, requestedAt, {
    ...about,
    action: 'CANCELLATION_REQUESTED',
    outcome: 'SUCCEEDED',
    actor: requestedBy,
    detail: { ...detail, reason },
  });
  if (isPending) {
    for (const line of lines)
      Object.assign(line, { status: OrderLineStatus.CANCELLATION_PENDING, leftAt: requestedAt });
    return;
  }
  if (status === CancellationStatus.REFUSED) {
    const refusal = {
      cancellationId: id,
      orderNumber: order.number,
      lineNumbers,
      problem: REFUSAL,
    };
    demo.activity.write(demo, answeredAt, {
      ...about,
      action: 'CANCELLATION_REFUSED',
      outcome: 'FAILED',
      actor: fulfilment,
      detail: refusal,
    });
    return;
  }
  demo.activity.write(demo, answeredAt, {
    ...about,
    action: 'CANCELLATION_CONFIRMED',
    outcome: 'SUCCEEDED',
    actor: fulfilment,
    detail,
  });
  for (const one of credits) {
    Object.assign(one.line, { status: OrderLineStatus.CANCELLED, leftAt: requestedAt, revokedAt: answeredAt });
    demo.invoices.credit(demo, order, one.line, one.id, one.credit, answeredAt);
  }
}
