import { LockMode } from '@mikro-orm/core';
import type { Logger } from 'pino';
import { recordActivity } from '../../activity-log/record-activity.js';
import { parseIdentity } from '../../auth/identity.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { bookCredit, openInvoice } from '../billing/book.js';
import { DownloadLink, Entitlement, ProductKey } from '../entitlements/entitlement.entity.js';
import { Cancellation, CancellationLine, Order, OrderLine } from '../orders/order.entity.js';
import { CancellationStatus, OrderLineStatus, OrderStatus, orderLineMoves } from '../orders/order-status.js';

/** What the provider answers to a cancellation: confirmed, or refused with the reason. */
export type FulfilmentAnswer = 'confirmed' | { refused: string };
/** A cancellation as the provider is told of it. */
export interface FulfilmentRequest {
  cancellationId: string;
  orderNumber: string;
  lineNumbers: number[];
}
/**
 * Who fulfils. The local provider confirms everything; a real one would be asked here. It is asked outside of any
 * transaction, and after a crash or by two processes more than once: it must know a cancellation by its id.
 */
export type FulfilmentProvider = (cancellation: FulfilmentRequest) => Promise<FulfilmentAnswer>;

/** The provider of a gateway without a real one behind it. */
export const localProvider: FulfilmentProvider = async () => 'confirmed';

/** How often to look for work that another process left behind. */
const POLL_MS = 2_000;

/** What fulfilment needs. */
export interface FulfilmentOptions {
  /** Runs work in a transaction. */
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;
  provider: FulfilmentProvider;
  now: () => Date;
  log: Logger;
}

/**
 * Confirms cancellations when they are due (rule 17). What a crash left behind is found in the table by the next poll,
 * of this process or another: each is settled once, in one transaction that does all or nothing.
 */
export class Fulfilment {
  private readonly timers = new Set<NodeJS.Timeout>();
  private polling: NodeJS.Timeout | undefined;
  private working: Promise<void> | null = null;
  private pollAgain = false;
  private stopped = false;
  /** Waits no longer for the provider's answer. */
  private giveUp = (): void => undefined;

  constructor(private readonly options: FulfilmentOptions) {}

  /** Looks for work in `delayMs`, and regularly as long as the process runs. No call puts an earlier one off. */
  wakeIn(delayMs: number): void {
    if (this.stopped) return;
    this.polling ??= setInterval(() => this.poll(), POLL_MS).unref();
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.poll();
    }, delayMs).unref();
    this.timers.add(timer);
  }

  /** Ends after what is being committed. What the provider has not answered yet is asked again by the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.polling);
    for (const timer of this.timers) clearTimeout(timer);
    this.giveUp();
    await this.working;
  }

  private poll(): void {
    this.pollAgain = true;
    this.working ??= this.work().finally(() => {
      this.working = null;
    });
  }

  private async work(): Promise<void> {
    while (this.pollAgain && !this.stopped) {
      this.pollAgain = false;
      const due = await this.options
        .inTransaction((em) => dueCancellations(em, this.options.now()))
        .catch(this.complain);
      for (const id of due ?? []) {
        // Each by itself: a failing one does not hold the others up.
        if (!this.stopped) await this.fulfil(id).catch(this.complain);
      }
    }
  }

  private async fulfil(id: string): Promise<void> {
    const request = await this.options.inTransaction((em) => requestOf(em, id));
    if (this.stopped) return;
    const answer = await new Promise<FulfilmentAnswer | null>((resolve, reject) => {
      this.giveUp = () => resolve(null);
      this.options.provider(request).then(resolve, reject);
    });
    if (answer) await this.options.inTransaction((em) => settle(em, id, answer, this.options.now()));
  }

  private readonly complain = (error: unknown): void =>
    this.options.log.error({ err: error }, 'a cancellation could not be fulfilled; it is tried again');
}

/** Ids of the cancellations that an answer is due for, longest waiting first. */
async function dueCancellations(em: Em, now: Date): Promise<string[]> {
  const due = await em.find(
    Cancellation,
    { status: CancellationStatus.PENDING, dueAt: { $lte: now } },
    { fields: ['id'], orderBy: { dueAt: 'asc', id: 'asc' } },
  );
  return due.map(({ id }) => id);
}

async function requestOf(em: Em, cancellationId: string): Promise<FulfilmentRequest> {
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

/** Does what the provider answered, unless another process did or is doing it (`skip locked`). */
async function settle(em: Em, id: string, answer: FulfilmentAnswer, now: Date): Promise<void> {
  const cancellation = await em.findOne(
    Cancellation,
    { id, status: CancellationStatus.PENDING },
    { lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
  );
  if (!cancellation) return;
  const order = await em.findOneOrFail(
    Order,
    { id: cancellation.order.id },
    { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
  );
  const cancelled = await linesOf(em, id);
  const lineNumbers = cancelled.map((line) => line.orderLine.lineNumber);
  if (answer === 'confirmed') await confirm(em, cancellation, order, cancelled, now);
  else refuse(cancellation, cancelled);

  const entry = {
    actor: {
      identity: parseIdentity(cancellation.requestedByIdentity ?? null),
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
    // A licence whose term has ended since it was cancelled has expired: nothing is revoked that is over.
    if (entitlement.expiresAt && entitlement.expiresAt <= now) continue;
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
