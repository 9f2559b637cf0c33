import { randomUUID } from 'node:crypto';
import { type Activity, type Actor, recordActivity } from '../../activity-log/record-activity.js';
import { AdvisoryLock } from '../../database/advisory-locks.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';

/** How long the closing of a month waits for what is being booked: whatever is booked meanwhile waits behind it. */
const LOCK_TIMEOUT_MS = 5_000;

/** The gateway itself, which closes months by the clock. */
const BILLING: Actor = { identity: null, userPrincipalName: 'csp-graph', role: 'GATEWAY', application: 'billing' };

/**
 * Closes a month, and writes it down, in a short transaction of its own: what is being booked on it is waited for, and whatever comes later
 * goes on the next month. Closing it again changes nothing. The clock of the database says whether it is over.
 * @param month its first day as `YYYY-MM-DD`
 * @param closedAt when it was closed, in a story that is told afterwards; now where left out
 * @throws Error where the month is not over, or what is being booked takes longer than five seconds
 */
export async function closeMonth(em: Em, month: string, closedAt: Date | null = null): Promise<void> {
  await em.execute(`select set_config('lock_timeout', ?, true)`, [String(LOCK_TIMEOUT_MS)]);
  inLockOrder(em, 'BOOKING');
  await em.execute('select pg_advisory_xact_lock(?)', [AdvisoryLock.BOOKING]);
  const [{ isOver }] = await em.execute<[{ isOver: boolean }]>(
    `select ?::date < date_trunc('month', now() at time zone 'UTC') as "isOver"`,
    [month],
  );
  if (!isOver) throw new Error(`the month of ${month} is not over by the clock of the database`);
  const closed = await em.execute<object[]>(
    'insert into "month_closings" ("month", "closed_at") values (?, coalesce(?::timestamptz, now())) on conflict do nothing returning "month"',
    [month, closedAt],
  );
  // A story writes its entries itself, at the instants that it tells of.
  if (closed.length === 0 || closedAt) return;
  recordActivity(em, await monthClosed(em, month, randomUUID()));
}

/** What is written down of a month that was closed. */
export async function monthClosed(em: Em, month: string, correlationId: string): Promise<Activity> {
  const [{ invoices, creditNotes }] = await em.execute<[{ invoices: number; creditNotes: number }]>(
    `select count(*) filter (where "document_type" = 'INVOICE')::int as "invoices", count(*) filter (where "document_type" = 'CREDIT_NOTE')::int as "creditNotes"
      from "invoices" where "period_start" = ?`,
    [month],
  );
  return {
    action: 'MONTH_CLOSED',
    outcome: 'SUCCEEDED',
    actor: BILLING,
    customerId: null,
    resource: { type: 'MONTH', id: month, label: month.slice(0, 7) },
    correlationId,
    detail: { month, invoices, creditNotes },
  };
}

/**
 * Issues documents of a closed month that are not yet, with the next numbers of their series. The row of the series is
 * locked before the documents are looked at: two that issue at once leave no gap, and what is rolled back none either.
 * @param most how many at once
 * @param issuedAt as `closedAt`
 * Answers how many were issued.
 */
export async function issueInvoices(
  em: Em,
  month: string,
  most: number,
  issuedAt: Date | null = null,
): Promise<number> {
  inLockOrder(em, 'INVOICE_SERIES');
  await em.execute('select from "invoice_series" order by "document_type" for update');
  const series = await em.execute<{ issued: number }[]>(
    `with "open" as (
      select "id", "document_type", row_number() over (partition by "document_type" order by "id") as "place"
      from (select "id", "document_type" from "invoices" where "issued_at" is null and "period_start" = ? order by "id" limit ?) "some"
    ), "issued" as (
      update "invoices" "i" set "issued_at" = coalesce(?::timestamptz, now()),
        "number" = case "s"."document_type" when 'INVOICE' then 'INV-' else 'CN-' end
          || lpad(("s"."last_number" + "open"."place")::text, greatest(9, length(("s"."last_number" + "open"."place")::text)), '0')
      from "open" join "invoice_series" "s" using ("document_type") where "i"."id" = "open"."id" returning "i"."document_type"
    )
    update "invoice_series" "s" set "last_number" = "s"."last_number" + "n"."issued"
    from (select "document_type", count(*)::int as "issued" from "issued" group by 1) "n"
    where "n"."document_type" = "s"."document_type" returning "n"."issued"`,
    [month, most, issuedAt],
  );
  return series.reduce((all, { issued }) => all + issued, 0);
}
