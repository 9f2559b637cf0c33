import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { ChargeType } from '../../domain/charge-type.js';
import { newId, newInvoiceNumber } from '../../domain/ids.js';
import type { CancellationLine, OrderLine } from '../orders/order.entity.js';
import { billingPeriodOf } from './billing-period.js';
import { creditedPeriod } from './credited-period.js';
import { Invoice, InvoiceLine, InvoiceLineKind } from './invoice.entity.js';

/**
 * The invoice that an amount booked at `at` goes on: the customer's of that month and currency. It is the next one to
 * be issued, so a credit stands on the next monthly invoice (rule 16).
 */
export async function openInvoice(em: Em, customerId: string, currency: string, at: Date): Promise<Invoice> {
  const period = billingPeriodOf(at);
  const key = { customer: customerId, currency, periodStart: period.start };
  inLockOrder(em, 'INVOICE');
  for (;;) {
    const found = await em.findOne(Invoice, key);
    if (found) return found;
    // Two purchases of one customer may get here at once: the loser of the unique key reads the winner's row.
    await em.execute(
      'insert into "invoices" ("id", "number", "customer_id", "currency", "period_start", "period_end") values (?, ?, ?, ?, ?, ?) on conflict do nothing',
      [newId(), newInvoiceNumber(), customerId, currency, period.start, period.end],
    );
  }
}

/** Books what a line costs. */
export function bookCharge(em: Em, invoice: Invoice, line: OrderLine, description: string, at: Date): void {
  em.persist(
    em.create(InvoiceLine, {
      id: newId(),
      invoice,
      kind: InvoiceLineKind.CHARGE,
      chargeType: ChargeType.NEW,
      chargeStart: line.termStart,
      chargeEnd: line.termEnd,
      order: line.order,
      product: line.sku.product,
      orderLine: line,
      description,
      quantity: line.quantity,
      unitAmount: line.unitPrice,
      amount: line.total,
      bookedAt: at,
    }),
  );
}

/** Books what a cancelled line gives back. */
export function bookCredit(em: Em, invoice: Invoice, credited: CancellationLine, description: string, at: Date): void {
  const { orderLine: line } = credited;
  em.persist(
    em.create(InvoiceLine, {
      id: newId(),
      invoice,
      kind: InvoiceLineKind.CREDIT,
      chargeType: ChargeType.CANCEL_IMMEDIATE,
      ...creditedPeriod(line, credited.unusedDays ?? null),
      order: line.order,
      product: line.sku.product,
      orderLine: line,
      cancellationLine: credited,
      description,
      quantity: credited.quantity,
      unitAmount: credited.unitCredit,
      amount: `-${credited.credit}`,
      bookedAt: at,
    }),
  );
}
