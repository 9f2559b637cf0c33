import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { ChargeType } from '../../domain/charge-type.js';
import { newId } from '../../domain/ids.js';
import type { CancellationLine, OrderLine } from '../orders/order.entity.js';
import { lastDayOf } from './billing-period.js';
import { creditedPeriod } from './credited-period.js';
import { Invoice, InvoiceLine, InvoiceLineKind } from './invoice.entity.js';

/** The customer who is charged or credited, and the currency of it. */
export interface Account {
  customerId: string;
  currency: string;
}

/** Books what lines of an order cost on the customer's invoice of the month (rule 16). */
export async function bookCharges(em: Em, account: Account, lines: readonly OrderLine[], at: Date): Promise<void> {
  const invoice = await openInvoice(em, account, await bookingMonth(em, at));
  for (const line of lines)
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
        description: line.sku.title,
        quantity: line.quantity,
        unitAmount: line.unitPrice,
        amount: line.total,
        bookedAt: at,
      }),
    );
}

/**
 * Books what cancelled lines give back: on the customer's invoice of the month, and, where the month is closed on whose
 * invoice the charge is, on a credit note about that invoice (rule 16).
 */
export async function bookCredits(
  em: Em,
  account: Account,
  credits: readonly CancellationLine[],
  at: Date,
): Promise<void> {
  const month = await bookingMonth(em, at);
  const closed = await closedInvoicesOf(em, credits);
  const documents = new Map<string | undefined, Invoice>();
  for (const credit of credits) {
    const { orderLine: line } = credit;
    const about = closed.get(line.id);
    const invoice =
      documents.get(about) ??
      (about ? await openCreditNote(em, account, month, about) : await openInvoice(em, account, month));
    documents.set(about, invoice);
    em.persist(
      em.create(InvoiceLine, {
        id: newId(),
        invoice,
        kind: InvoiceLineKind.CREDIT,
        chargeType: ChargeType.CANCEL_IMMEDIATE,
        ...creditedPeriod(line, credit.unusedDays ?? null),
        order: line.order,
        product: line.sku.product,
        orderLine: line,
        cancellationLine: credit,
        description: `Credit: ${line.sku.title}`,
        quantity: credit.quantity,
        unitAmount: credit.unitCredit,
        amount: `-${credit.credit}`,
        bookedAt: at,
      }),
    );
  }
}

/**
 * The month that is booked on: that of `at`, or the first one after it that is open. It stays open until the transaction
 * ends: whoever closes it waits. Nothing else of invoices is looked at before.
 */
async function bookingMonth(em: Em, at: Date): Promise<string> {
  inLockOrder(em, 'BOOKING');
  const [{ month }] = await em.execute<[{ month: string }]>('select booking_month(?)::text as "month"', [at]);
  return month;
}

/** The customer's invoice of a month and currency. */
function openInvoice(em: Em, { customerId, currency }: Account, month: string): Promise<Invoice> {
  return findOrOpen(
    em,
    { documentType: 'INVOICE', customer: customerId, currency, periodStart: month },
    `insert into "invoices" ("id", "customer_id", "currency", "period_start", "period_end") values (?, ?, ?, ?, ?) on conflict do nothing`,
    [newId(), customerId, currency, month, lastDayOf(month)],
  );
}

/** The credit note of a month about an invoice. */
function openCreditNote(em: Em, { customerId, currency }: Account, month: string, about: string): Promise<Invoice> {
  return findOrOpen(
    em,
    { amendsOf: about, periodStart: month },
    `insert into "invoices" ("id", "document_type", "amends_of_id", "customer_id", "currency", "period_start", "period_end") values (?, 'CREDIT_NOTE', ?, ?, ?, ?, ?) on conflict do nothing`,
    [newId(), about, customerId, currency, month, lastDayOf(month)],
  );
}

async function findOrOpen(
  em: Em,
  key: Record<string, string>,
  insert: string,
  values: readonly unknown[],
): Promise<Invoice> {
  inLockOrder(em, 'INVOICE');
  for (;;) {
    const found = await em.findOne(Invoice, key);
    if (found) return found;
    // Two purchases of one customer may get here at once: the loser of the unique key reads the winner's row.
    await em.execute(insert, [...values]);
  }
}

/** Invoices whose month is closed, with the charges of cancelled lines on them, by the line of the order. */
async function closedInvoicesOf(em: Em, credits: readonly CancellationLine[]): Promise<Map<string, string>> {
  const found = await em.execute<{ line: string; invoice: string }[]>(
    `select "l"."order_line_id" as "line", "l"."invoice_id" as "invoice" from "invoice_lines" "l"
      join "invoices" "i" on "i"."id" = "l"."invoice_id" join "month_closings" "c" on "c"."month" = "i"."period_start"
      where "l"."charge_type" = 'NEW' and "l"."order_line_id" in (?)`,
    [credits.map(({ orderLine }) => orderLine.id)],
  );
  return new Map(found.map(({ line, invoice }) => [line, invoice]));
}
