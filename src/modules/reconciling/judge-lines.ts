import { sql } from 'kysely';
import { minorUnitDigits } from '../../domain/currencies.js';
import type { Verdict } from '../../domain/reconciliation.js';
import type { Scope } from './match-lines.js';
import type { Connection } from './staged-rows.js';

/** How many lines got which verdict, and what they amount to on each side. */
export interface VerdictCount {
  verdict: Verdict;
  lines: number;
  theirs: string;
  ours: string;
}

/** How many lines got a verdict. */
export function countOf(verdicts: readonly VerdictCount[], verdict: Verdict): number {
  return verdicts.find((each) => each.verdict === verdict)?.lines ?? 0;
}

/** An id of a row that is made in the database, beside those of `newId`: the time first, so that they stay together. */
export const NEW_ID = sql`(lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid`;

/**
 * Says of every line what became of it, once the lines are matched: `judged_lines` is a table of the connection afterwards.
 * Amounts count as equal up to the tolerance. What is null on a side does not apply there and is not compared; quantities
 * and prices are compared without their sign, for that of a credit is in its amount.
 */
export async function judgeLines(connection: Connection, scope: Scope, tolerance: string): Promise<VerdictCount[]> {
  const digits = minorUnitDigits(scope.currency);
  await sql`create temporary table judged_lines as
    select s.id, case when found.differences = '[]' then 'EQUAL' else 'DIFFERENT' end as verdict, s.line,
      o.id as invoice_line_id, m.matched_by, o.customer_id, s.customer_tenant_id, s.customer_name,
      ${scope.month}::date as month, o.month as our_month, o.invoice_number as our_invoice_number,
      s.order_number, s.product_id, s.sku_id, coalesce(s.sku_name, o.title) as title, s.charge_type,
      t.amount as their_amount, o.amount as our_amount, found.differences
    from matched_lines m
    join staged_rows s on s.line = m.line
    join their_lines t on t.line = m.line
    join our_lines o on o.id = m.ours
    cross join lateral (select trunc(coalesce(s.effective_unit_price, s.unit_price) * coalesce(s.exchange_rate, 1), ${digits}::int) as unit) theirs
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('column', name, 'theirs', theirs_is, 'ours', ours_is, 'by', difference) order by place), '[]') as differences
      from (values
        (0, 'CustomerId', s.customer_tenant_id::text, o.customer_tenant_id::text, null, s.customer_tenant_id <> o.customer_tenant_id),
        (1, 'ChargeType', s.charge_type, o.charge_type, null, s.charge_type <> o.charge_type),
        (2, 'BillableQuantity', trim_scale(abs(s.quantity))::text, o.quantity::text, trim_scale(abs(s.quantity) - o.quantity)::text, abs(s.quantity) <> o.quantity),
        (3, 'EffectiveUnitPrice', abs(theirs.unit)::text, o.unit_amount::text, (abs(theirs.unit) - o.unit_amount)::text, abs(abs(theirs.unit) - o.unit_amount) > ${tolerance}::numeric),
        (4, case when t.with_tax then 'Total' else 'Subtotal' end, t.amount::text, o.amount::text, (t.amount - o.amount)::text, abs(t.amount - o.amount) > ${tolerance}::numeric),
        (5, 'ChargeStartDate', s.charge_start::text, o.charge_start::text, (s.charge_start - o.charge_start)::text, s.charge_start <> o.charge_start),
        (6, 'ChargeEndDate', s.charge_end::text, o.charge_end::text, (s.charge_end - o.charge_end)::text, s.charge_end <> o.charge_end)
      ) as compared (place, name, theirs_is, ours_is, difference, differs)
      where differs
    ) found
    union all
    select s.id, 'MISSING_HERE', s.line, null, null, c.id, s.customer_tenant_id, s.customer_name, ${scope.month}::date, null, null,
      s.order_number, s.product_id, s.sku_id, s.sku_name, s.charge_type, t.amount, null, '[]'
    from staged_rows s
    join their_lines t on t.line = s.line
    left join customers c on c.tenant_id = s.customer_tenant_id
    where not exists (select 1 from matched_lines m where m.line = s.line)
    union all
    select ${NEW_ID}, 'MISSING_THERE', null, o.id, null, o.customer_id, o.customer_tenant_id, o.company_name, ${scope.month}::date,
      o.month, o.invoice_number, o.order_number, o.product_id, o.sku_id, o.title, o.charge_type, null, o.amount, '[]'
    from our_lines o
    where o.distance = 0 and not exists (select 1 from matched_lines m where m.ours = o.id)`.execute(connection);
  const { rows } = await sql<VerdictCount>`
    select verdict, count(*)::int as lines, coalesce(sum(their_amount), 0)::text as theirs, coalesce(sum(our_amount), 0)::text as ours
    from judged_lines group by verdict order by verdict`.execute(connection);
  return rows;
}

/** A judged line as it is shown. */
export interface JudgedLine {
  id: string;
  verdict: Verdict;
  line: number | null;
  invoiceLineId: string | null;
  matchedBy: string | null;
  customerTenantId: string;
  customerName: string;
  month: string;
  ourMonth: string | null;
  ourInvoiceNumber: string | null;
  orderNumber: string | null;
  productId: string | null;
  skuId: string | null;
  title: string | null;
  chargeType: string;
  theirAmount: string | null;
  ourAmount: string | null;
  differences: { column: string; theirs: string; ours: string; by: string | null }[];
}

/** The judged lines in batches: those of the file in its order, then what is missing there. */
export async function* judgedLines(
  connection: Connection,
  { size = 1_000, differingOnly = false } = {},
): AsyncGenerator<JudgedLine[]> {
  let after: { place: number; id: string } = { place: 0, id: '00000000-0000-0000-0000-000000000000' };
  const place = sql`coalesce(line, 2147483647)`;
  for (;;) {
    const { rows } = await sql<JudgedLine & { place: number }>`
      select id, verdict, line, invoice_line_id as "invoiceLineId", matched_by as "matchedBy",
        customer_tenant_id as "customerTenantId", customer_name as "customerName", month::text as month,
        our_month::text as "ourMonth", our_invoice_number as "ourInvoiceNumber", order_number as "orderNumber",
        product_id as "productId", sku_id as "skuId", title, charge_type as "chargeType",
        their_amount::text as "theirAmount", our_amount::text as "ourAmount", differences, ${place} as place
      from judged_lines
      where (${place}, id) > (${after.place}::int, ${after.id}::uuid)
        and ${differingOnly ? sql`verdict <> 'EQUAL'` : sql`true`}
      order by ${place}, id limit ${size}`.execute(connection);
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(({ place: _, ...row }) => row);
    if (rows.length < size) return;
    after = last;
  }
}
