import { ChargeType } from '../../domain/charge-type.js';
import { billingPeriodOf } from '../../modules/billing/billing-period.js';
import { creditedPeriod } from '../../modules/billing/credited-period.js';
import { InvoiceLineKind } from '../../modules/billing/invoice.entity.js';
import type { LineCredit } from '../../modules/cancelling/credit.js';
import type { DemoLine, DemoOrder } from './demo-order.js';
import type { RowTarget } from './insert-rows.js';
import { demoId, invoiceNumberAt } from './numbers.js';

/** Books charges and credits on one invoice per customer, currency and month (rule 16). */
export class InvoiceWriter {
  private readonly invoices = new Map<string, string>();

  /** @param first how many invoices there are already */
  constructor(private readonly first: number) {}

  /** Books what a line costs, when it was bought. */
  charge(target: RowTarget, order: DemoOrder, line: DemoLine): void {
    target.batch.add('invoice_lines', {
      id: demoId(target.seed, `order/${order.index}/line/${line.lineNumber}/charge`),
      invoice_id: this.invoiceFor(target, order, order.placedAt),
      kind: InvoiceLineKind.CHARGE,
      charge_type: ChargeType.NEW,
      charge_start: line.term?.start ?? null,
      charge_end: line.term?.end ?? null,
      order_id: order.id,
      product_id: line.sku.productRowId,
      order_line_id: line.id,
      cancellation_line_id: null,
      description: line.sku.title,
      quantity: line.quantity,
      unit_amount: line.unitPrice,
      amount: line.total,
      booked_at: order.placedAt.toISOString(),
    });
  }

  /** Books what a cancelled line gives back, when fulfilment confirmed it. */
  credit(
    target: RowTarget,
    order: DemoOrder,
    line: DemoLine,
    cancellationLineId: string,
    credit: LineCredit,
    confirmedAt: Date,
  ): void {
    const credited = creditedPeriod({ termStart: line.term?.start, termEnd: line.term?.end }, credit.unusedDays);
    target.batch.add('invoice_lines', {
      id: demoId(target.seed, `order/${order.index}/line/${line.lineNumber}/credit`),
      invoice_id: this.invoiceFor(target, order, confirmedAt),
      kind: InvoiceLineKind.CREDIT,
      charge_type: ChargeType.CANCEL_IMMEDIATE,
      charge_start: credited.chargeStart,
      charge_end: credited.chargeEnd,
      order_id: order.id,
      product_id: line.sku.productRowId,
      order_line_id: line.id,
      cancellation_line_id: cancellationLineId,
      description: `Credit: ${line.sku.title}`,
      quantity: line.quantity,
      unit_amount: credit.unitCredit,
      amount: `-${credit.credit}`,
      booked_at: confirmedAt.toISOString(),
    });
  }

  private invoiceFor(target: RowTarget, order: DemoOrder, bookedAt: Date): string {
    const period = billingPeriodOf(bookedAt);
    const name = `invoice/${order.customer.index}/${order.currency}/${period.start}`;
    const known = this.invoices.get(name);
    if (known) return known;
    const id = demoId(target.seed, name);
    target.batch.add('invoices', {
      id,
      number: invoiceNumberAt(this.first + this.invoices.size),
      customer_id: order.customer.id,
      currency: order.currency,
      period_start: period.start,
      period_end: period.end,
    });
    this.invoices.set(name, id);
    return id;
  }
}
