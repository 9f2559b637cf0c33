import type { Em } from '../../database/orm.js';
import { monthAfter } from '../../modules/billing/billing-period.js';
import { closeMonth, issueInvoices, monthClosed } from '../../modules/billing/close-month.js';
import type { Demo } from './demo.js';

/** Closes the months of a story that are over at its end, each as it was closed when it was: at the end of its last day. */
export async function closeMonths(em: Em, demo: Demo): Promise<void> {
  const open = await em.execute<{ month: string }[]>(
    `select distinct "period_start"::text as "month" from "invoices"
      where "issued_at" is null and "period_start" < date_trunc('month', least(now(), ?::timestamptz) at time zone 'UTC') order by 1`,
    [demo.now],
  );
  for (const { month } of open) {
    await closeMonth(em, month, endOf(month));
    demo.activity.write(demo, endOf(month), await monthClosed(em, month, demo.activity.nextCorrelationId(demo)));
  }
  for (const { month } of open) await issueInvoices(em, month, Number.MAX_SAFE_INTEGER, endOf(month));
}

const endOf = (month: string): Date => new Date(`${monthAfter(month)}T00:00:00Z`);
