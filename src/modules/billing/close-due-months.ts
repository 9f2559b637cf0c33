import type { Em } from '../../database/orm.js';
import { closeMonth, issueInvoices } from './close-month.js';

/** How often it is looked whether months are to be closed. */
export const MONTH_CLOSE_SECONDS = 60;
/** Documents that are issued in one transaction. */
const BATCH = 500;

/**
 * Closes the months that are over by the clock of the database and have documents to issue, and issues those (rule 16).
 * Repeatable: where it ended in the middle it has closed a month at most, and issued whole batches; the next time it goes
 * on there.
 * @param days how many after the end of a month
 */
export async function closeDueMonths(
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>,
  days: number,
): Promise<void> {
  for (const month of await inTransaction((em) => dueMonths(em, days))) {
    await inTransaction((em) => closeMonth(em, month));
    for (let issued = BATCH; issued > 0; ) issued = await inTransaction((em) => issueInvoices(em, month, BATCH));
  }
}

async function dueMonths(em: Em, days: number): Promise<string[]> {
  const due = await em.execute<{ month: string }[]>(
    `select distinct "period_start"::text as "month" from "invoices"
      where "issued_at" is null and "period_start" <= (now() at time zone 'UTC')::date - interval '1 month' - ? * interval '1 day'
      order by 1`,
    [days],
  );
  return due.map(({ month }) => month);
}
