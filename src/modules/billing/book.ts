import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { type Filled, insertFilled } from '../../database/writes.js';
import { ChargeType } from '../../domain/charge-type.js';
import { newId } from '../../domain/ids.js';
import type { ChargedLine } from '../orders/sold-line.js';
import { creditedPeriod } from './credited-period.js';
import { InvoiceLine, InvoiceLineKind } from './invoice.entity.js';

/** An order whose lines are charged or credited, to which customer and in which currency. */
export interface Account {
  /** Id of the order's row. */
  id: string;
  customerId: string;
  currency: string;
}

/** A line that is given back. */
export interface CreditedLine {
  line: ChargedLine;
  /** Id of the line of the cancellation. */
  id: string;
  quantity: number;
  unitCredit: string;
  credit: string;
  /** Null for a full refund. */
  unusedDays: number | null;
}

/** Books what lines of an order cost on the customer's invoice of the month (rule 16). */
export function bookCharges(em: Em, account: Account, lines: readonly ChargedLine[], at: Date): void {
  const booked = lines.map((line) => ({
    ...common(account, line, at),
    kind: InvoiceLineKind.CHARGE,
    chargeType: ChargeType.NEW,
    chargeStart: line.termStart,
    chargeEnd: line.termEnd,
    description: line.sku.title,
    quantity: line.quantity,
    unitAmount: line.unitPrice,
    amount: line.total,
  }));
  const onInvoice = lines.map(() => null);
  insertFilled(em, InvoiceLine, booked, openDocuments(em, account, onInvoice, at));
}

/**
 * Books what cancelled lines give back: on the customer's invoice of the month, and, where the month is closed on whose
 * invoice the charge is, on a credit note about that invoice (rule 16).
 */
export function bookCredits(em: Em, account: Account, credits: readonly CreditedLine[], at: Date): void {
  const booked = credits.map(({ line, ...credit }) => ({
    ...common(account, line, at),
    kind: InvoiceLineKind.CREDIT,
    chargeType: ChargeType.CANCEL_IMMEDIATE,
    ...creditedPeriod(line, credit.unusedDays),
    cancellationLine: credit.id,
    description: `Credit: ${line.sku.title}`,
    quantity: credit.quantity,
    unitAmount: credit.unitCredit,
    amount: `-${credit.credit}`,
  }));
  const credited = credits.map(({ line }) => line.id);
  insertFilled(em, InvoiceLine, booked, openDocuments(em, account, credited, at));
}

const common = (account: Account, line: ChargedLine, at: Date) => ({
  id: newId(),
  order: account.id,
  product: line.sku.productRow,
  orderLine: line.id,
  bookedAt: at,
});

const OPEN_DOCUMENTS = 'select "open_documents"($1::uuid, $2::char(3), $3::timestamptz, $4::uuid[], $5::uuid[])';

/**
 * The documents that lines are booked on, opened where they are missing, one for each: on the month of `at`, or the first
 * one after it that is open, which stays open until the transaction ends: whoever closes it waits.
 * @param credited ids of the order lines that are given back; null for what is charged
 */
function openDocuments(
  em: Em,
  { customerId, currency }: Account,
  credited: readonly (string | null)[],
  at: Date,
): Filled<'invoice'> {
  inLockOrder(em, 'BOOKING');
  inLockOrder(em, 'INVOICE');
  const values = [customerId, currency, at, credited, credited.map(newId)];
  return { property: 'invoice', text: OPEN_DOCUMENTS, values };
}
