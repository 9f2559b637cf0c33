import { ChargeType } from '../../domain/charge-type.js';
import { lastDayOf, monthAfter, monthOf } from '../../modules/billing/billing-period.js';
import { creditedPeriod } from '../../modules/billing/credited-period.js';
import { InvoiceDocumentType, InvoiceLineKind } from '../../modules/billing/invoice.entity.js';
import type { LineCredit } from '../../modules/cancelling/credit.js';
import type { DemoLine, DemoOrder } from './demo-order.js';
import type { RowTarget } from './insert-rows.js';
import { demoId } from './numbers.js';

/** Books charges and credits on one invoice per customer, currency and month, as if each month had been closed at its end. */
export class InvoiceWriter {
  private readonly documents = new Map<string, string>();

  /** @param closed first days of the months that are closed already: what is told of them is booked on the next one */
  constructor(private readonly closed: ReadonlySet<string>) {}

  /** Books what a line costs, when it was bought. */
  charge(target: RowTarget, order: DemoOrder, line: DemoLine): void {
    target.batch.add('invoice_lines', {
      id: demoId(target.seed, `order/${order.index}/line/${line.lineNumber}/charge`),
      invoice_id: this.invoiceFor(target, order, this.bookingMonth(order.placedAt)),
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

  /** Books what a cancelled line gives back, when fulfilment confirmed it: after its month on a credit note. */
  credit(
    target: RowTarget,
    order: DemoOrder,
    line: DemoLine,
    cancellationLineId: string,
    credit: LineCredit,
    confirmedAt: Date,
  ): void {
    const credited = creditedPeriod({ termStart: line.term?.start, termEnd: line.term?.end }, credit.unusedDays);
    const [charged, month] = [this.bookingMonth(order.placedAt), this.bookingMonth(confirmedAt)];
    const invoice = this.invoiceFor(target, order, charged);
    target.batch.add('invoice_lines', {
      id: demoId(target.seed, `order/${order.index}/line/${line.lineNumber}/credit`),
      invoice_id: charged === month ? invoice : this.creditNoteFor(target, order, month, invoice),
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

  private bookingMonth(at: Date): string {
    let month = monthOf(at);
    while (this.closed.has(month)) month = monthAfter(month);
    return month;
  }

  private invoiceFor(target: RowTarget, order: DemoOrder, month: string): string {
    return this.open(target, order, month, `invoice/${order.customer.index}/${order.currency}/${month}`, null);
  }

  private creditNoteFor(target: RowTarget, order: DemoOrder, month: string, about: string): string {
    return this.open(target, order, month, `credit note/${about}/${month}`, about);
  }

  private open(target: RowTarget, order: DemoOrder, month: string, name: string, about: string | null): string {
    const known = this.documents.get(name);
    if (known) return known;
    const id = demoId(target.seed, name);
    target.batch.add('invoices', {
      id,
      document_type: about ? InvoiceDocumentType.CREDIT_NOTE : InvoiceDocumentType.INVOICE,
      amends_of_id: about,
      customer_id: order.customer.id,
      currency: order.currency,
      period_start: month,
      period_end: lastDayOf(month),
    });
    this.documents.set(name, id);
    return id;
  }
}
