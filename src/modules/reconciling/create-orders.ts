import { type RawBuilder, sql } from 'kysely';
import { NEW_ID } from './judge-lines.js';
import type { Connection } from './staged-rows.js';

/** Charge types that give back. */
export const CREDITS = sql.raw("('REMOVE_QUANTITY', 'CANCEL_IMMEDIATE', 'CUSTOMER_CREDIT')");

/**
 * Inserts what a query answers, and says how many rows that were. The query runs without nested loops: tables that were
 * filled in this transaction have no statistics, and each row would look through all others. The triggers of the table
 * that is filled run with them, as ever.
 */
async function insertAll(
  connection: Connection,
  table: string,
  columns: string,
  query: RawBuilder<unknown>,
): Promise<number> {
  const names = sql.raw(columns);
  await sql`set local enable_nestloop = off`.execute(connection);
  await sql`create temporary table rows_to_insert (${names}) on commit drop as ${query}`.execute(connection);
  await sql`set local enable_nestloop to default`.execute(connection);
  await sql`insert into ${sql.table(table)} (${names}) select ${names} from rows_to_insert`.execute(connection);
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from rows_to_insert`.execute(connection);
  await sql`drop table rows_to_insert`.execute(connection);
  return rows[0]?.count ?? 0;
}

/** Makes orders, lines and licences of `created_lines`. Answers how many. @param file.id of the reconciliation */
export async function createOrders(
  connection: Connection,
  { id }: { id: string },
): Promise<{ orders: number; licences: number }> {
  const orders = await insertAll(
    connection,
    'orders',
    'id, number, customer_id, market_code, status, currency, total, tax_included, placed_at, placed_by, correlation_id, imported_from',
    sql`select ${NEW_ID}, l.order_no, c.id, c.market_code, case when bool_and(l.is_cancelled) then 'CANCELLED' else 'COMPLETED' end,
      min(r.currency), sum(l.total), bool_or(r.tax_inclusive), min(l.placed_at), 'reconciliation', ${id}::uuid, ${id}::uuid
    from created_lines l join created_rows r on r.line = l.line join customers c on c.tenant_id = l.customer_tenant_id
    group by l.order_no, c.id, c.market_code`,
  );
  const hasTerm = sql.raw("l.kind <> 'PERPETUAL_SOFTWARE' and l.ends >= l.starts");
  await insertAll(
    connection,
    'order_lines',
    'id, order_id, line_number, sku_id, quantity, unit_price, total, status, term_start, term_end, billing_plan',
    sql`select l.id, o.id, l.line_number, s.id, l.quantity, l.unit, l.total, case when l.is_cancelled then 'CANCELLED' else 'ACTIVE' end,
      case when ${hasTerm} then l.starts end, case when ${hasTerm} then l.ends end, l.plan
    from created_lines l join orders o on o.number = l.order_no
    join products p on p.product_id = l.product_id join skus s on s.product_id = p.id and s.sku_id = l.sku_id`,
  );
  const licences = await insertAll(
    connection,
    'entitlements',
    'id, order_line_id, customer_id, sku_id, quantity, status, granted_at, expires_at, revoked_at',
    sql`select ${NEW_ID}, ol.id, o.customer_id, ol.sku_id, ol.quantity, case when l.is_cancelled then 'REVOKED' else 'ACTIVE' end, o.placed_at,
      (ol.term_end + 1)::timestamp at time zone 'UTC', l.left_at
    from created_lines l join order_lines ol on ol.id = l.id join orders o on o.id = ol.order_id`,
  );
  return { orders, licences };
}

/** Makes cancellations of the credits that cancel a line. */
export async function cancelLines(connection: Connection): Promise<void> {
  // A cancellation has one line here: the ids of both are the same.
  const source = sql`created_rows r join created_lines l on l.line = r.of_line join orders o on o.number = l.order_no
    where r.cancellation_line_id is not null`;
  await insertAll(
    connection,
    'cancellations',
    'id, order_id, customer_id, status, credit, currency, requested_at, requested_by, requested_by_role, confirmed_at, correlation_id',
    sql`select r.cancellation_line_id, o.id, o.customer_id, 'CONFIRMED', -r.amount, r.currency, l.left_at, 'reconciliation', 'OPERATOR', l.left_at, o.correlation_id
    from ${source}`,
  );
  await insertAll(
    connection,
    'cancellation_lines',
    'id, cancellation_id, order_line_id, refund_type, unit_credit, quantity, credit',
    sql`select r.cancellation_line_id, r.cancellation_line_id, l.id, case when -r.amount = l.total then 'FULL' else 'PARTIAL' end,
      -r.amount / r.billed, r.billed, -r.amount
    from ${source}`,
  );
}

/** Books every row on its customer's invoice of the month; answers how many. @param month its first day */
export async function bookLines(connection: Connection, month: string): Promise<number> {
  await sql`insert into invoices (id, customer_id, currency, period_start, period_end)
    select ${NEW_ID}, c.id, r.currency, ${month}::date, (${month}::date + interval '1 month - 1 day')::date
    from (select distinct customer_tenant_id, currency from created_rows) r join customers c on c.tenant_id = r.customer_tenant_id
    on conflict do nothing`.execute(connection);
  const hasPeriod = sql.raw('r.charge_end >= r.charge_start');
  return insertAll(
    connection,
    'invoice_lines',
    'id, invoice_id, kind, charge_type, charge_start, charge_end, order_id, product_id, order_line_id, cancellation_line_id, description, quantity, unit_amount, amount, tax_amount, booked_at',
    sql`select r.invoice_line_id, i.id, case when r.amount < 0 or r.type in ${CREDITS} then 'CREDIT' else 'CHARGE' end,
      case when r.type = 'CANCEL_IMMEDIATE' and r.cancellation_line_id is null then 'CUSTOMER_CREDIT' else r.type end,
      case when ${hasPeriod} then r.charge_start end, case when ${hasPeriod} then r.charge_end end,
      o.id, p.id, l.id, r.cancellation_line_id, coalesce(r.sku_name, r.product_name, r.product_id), r.billed, abs(r.amount) / r.billed, r.amount, r.tax_total,
      case when date_trunc('month', r.placed_at at time zone 'UTC') = ${month}::date then r.placed_at else ${month}::timestamp at time zone 'UTC' end
    from created_rows r
    join created_lines l on l.line = r.of_line
    join orders o on o.number = l.order_no
    join products p on p.product_id = r.product_id
    join invoices i on i.customer_id = o.customer_id and i.currency = r.currency and i.period_start = ${month}::date
    order by r.line`,
  );
}
