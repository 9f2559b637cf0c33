import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { prepared } from '../../database/prepared.js';
import { query } from '../../database/query.js';
import { insert } from '../../database/writes.js';
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
export async function bookCharges(em: Em, account: Account, lines: readonly ChargedLine[], at: Date): Promise<void> {
  const [invoice] = await openDocuments(em, account, [null], at);
  for (const line of lines)
    insert(em, InvoiceLine, {
      ...common(account, line, at),
      invoice: invoice as string,
      kind: InvoiceLineKind.CHARGE,
      chargeType: ChargeType.NEW,
      chargeStart: line.termStart,
      chargeEnd: line.termEnd,
      description: line.sku.title,
      quantity: line.quantity,
      unitAmount: line.unitPrice,
      amount: line.total,
    });
}

/**
 * Books what cancelled lines give back: on the customer's invoice of the month, and, where the month is closed on whose
 * invoice the charge is, on a credit note about that invoice (rule 16).
 */
export async function bookCredits(em: Em, account: Account, credits: readonly CreditedLine[], at: Date): Promise<void> {
  const lineIds = credits.map(({ line }) => line.id);
  const documents = await openDocuments(em, account, lineIds, at);
  for (const [place, { line, ...credit }] of credits.entries())
    insert(em, InvoiceLine, {
      ...common(account, line, at),
      invoice: documents[place] as string,
      kind: InvoiceLineKind.CREDIT,
      chargeType: ChargeType.CANCEL_IMMEDIATE,
      ...creditedPeriod(line, credit.unusedDays),
      cancellationLine: credit.id,
      description: `Credit: ${line.sku.title}`,
      quantity: credit.quantity,
      unitAmount: credit.unitCredit,
      amount: `-${credit.credit}`,
    });
}

const common = (account: Account, line: ChargedLine, at: Date) => ({
  id: newId(),
  order: account.id,
  product: line.sku.productRow,
  orderLine: line.id,
  bookedAt: at,
});

const OPEN_DOCUMENTS = prepared(
  'open documents',
  `select to_jsonb("open_documents"($1, $2, $3, $4, $5)) as "documents"`,
);

/**
 * The documents that lines are booked on, opened where they are missing, one for each: on the month of `at`, or the first
 * one after it that is open, which stays open until the transaction ends: whoever closes it waits.
 * @param credited ids of the order lines that are given back; null for what is charged
 */
async function openDocuments(
  em: Em,
  { customerId, currency }: Account,
  credited: readonly (string | null)[],
  at: Date,
): Promise<string[]> {
  inLockOrder(em, 'BOOKING');
  inLockOrder(em, 'INVOICE');
  const values = [customerId, currency, at, credited, credited.map(newId)];
  const [{ documents }] = (await query(em, OPEN_DOCUMENTS, values)) as [{ documents: string[] }];
  return documents;
}
