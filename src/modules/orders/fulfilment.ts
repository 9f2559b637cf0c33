import { LockMode } from '@mikro-orm/core';
import type { Logger } from 'pino';
import { toGlobalId } from '../../global-id.js';
import type { Em } from '../../orm.js';
import { recordActivity } from '../activity/record-activity.js';
import { bookCredit, openInvoice } from '../billing/book.js';
import { DownloadLink, Entitlement, ProductKey } from '../entitlements/entitlement.entity.js';
import { Cancellation, CancellationLine, Order, OrderLine } from './order.entity.js';
import { CancellationStatus, OrderLineStatus, OrderStatus, orderLineMoves } from './order-status.js';

/** What the provider answers to a cancellation: confirmed, or refused with the reason. */
export type FulfilmentAnswer = 'confirmed' | { refused: string };
/** Who fulfils. The local provider confirms everything; a real one would be asked here. */
export type FulfilmentProvider = (cancellation: {
  orderNumber: string;
  lineNumbers: number[];
}) => Promise<FulfilmentAnswer>;

/** The provider of a gateway without a real one behind it. */
export const localProvider: FulfilmentProvider = async () => 'confirmed';

/** How often to look for work that another process left behind. */
const SWEEP_MS = 2_000;

/**
 * Confirms cancellations when they are due (rule 17). What a crash left behind is found in the table by the next look,
 * of this process or another: `skip locked` lets several work side by side, and one transaction does all or nothing.
 */
export class Fulfilment {
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | null = null;
  private stopped = false;

  constructor(
    private readonly commit: (work: (em: Em) => Promise<boolean>) => Promise<boolean>,
    private readonly provider: FulfilmentProvider,
    private readonly now: () => Date,
    private readonly log: Logger,
  ) {}

  /** Looks for work in `delayMs`, and again as long as the process runs. */
  wakeIn(delayMs: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.working = this.workOff().finally(() => this.wakeIn(SWEEP_MS));
    }, delayMs);
    this.timer.unref();
  }

  /** Ends after what is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.working;
  }

  private async workOff(): Promise<void> {
    try {
      while (!this.stopped && (await this.commit((em) => fulfilNext(em, this.provider, this.now())))) {
        // One transaction per cancellation: a failing one does not hold the others up.
      }
    } catch (error) {
      this.log.error({ err: error }, 'a cancellation could not be fulfilled; it is tried again');
    }
  }
}

/** Fulfils the cancellation that has waited longest, if one is due. */
export async function fulfilNext(em: Em, provider: FulfilmentProvider, now: Date): Promise<boolean> {
  const cancellation = await em.findOne(
    Cancellation,
    { status: CancellationStatus.PENDING, dueAt: { $lte: now } },
    { orderBy: { dueAt: 'asc' }, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
  );
  if (!cancellation) return false;
  const order = await em.findOneOrFail(
    Order,
    { id: cancellation.order.id },
    { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
  );
  const cancelled = await em.find(
    CancellationLine,
    { cancellation },
    { populate: ['orderLine.sku.product'], orderBy: { orderLine: { lineNumber: 'asc' } } },
  );
  const lineNumbers = cancelled.map((line) => line.orderLine.lineNumber);
  const answer = await provider({ orderNumber: order.number, lineNumbers });
  if (answer === 'confirmed') await confirm(em, cancellation, order, cancelled, now);
  else refuse(cancellation, cancelled);

  const entry = {
    actor: {
      userPrincipalName: cancellation.requestedBy,
      role: cancellation.requestedByRole,
      application: 'fulfilment',
    },
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
  return true;
}

/** All of rule 17 in the caller's transaction: lines, order, keys, links, credit. */
async function confirm(
  em: Em,
  cancellation: Cancellation,
  order: Order,
  cancelled: CancellationLine[],
  now: Date,
): Promise<void> {
  for (const { orderLine } of cancelled) move(orderLine, OrderLineStatus.CANCELLED);
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
    entitlement.status = 'REVOKED';
    entitlement.revokedAt = now;
  }
  await em.nativeDelete(ProductKey, { entitlement: { $in: entitlements } });
  await em.nativeUpdate(DownloadLink, { entitlement: { $in: entitlements }, revokedAt: null }, { revokedAt: now });

  const invoice = await openInvoice(em, cancellation.customer.id, cancellation.currency, now);
  for (const line of cancelled) bookCredit(em, invoice, line, `Credit: ${line.orderLine.sku.title}`, now);
}

function refuse(cancellation: Cancellation, cancelled: CancellationLine[]): void {
  cancellation.status = CancellationStatus.REFUSED;
  for (const line of cancelled) {
    line.standing = false;
    move(line.orderLine, OrderLineStatus.ACTIVE);
  }
}

function move(line: OrderLine, to: OrderLineStatus): void {
  if (!orderLineMoves[line.status].includes(to))
    throw new Error(`line ${line.id} may not go from ${line.status} to ${to}`);
  line.status = to;
}
