import { sql } from 'kysely';
import { microsoftChargeTypes } from '../../domain/charge-type.js';
import { minorUnitDigits } from '../../domain/currencies.js';
import { FileRefused } from '../../partner-center/files/file-refused.js';
import { bookLines, CREDITS, cancelLines, createOrders } from './create-orders.js';
import { NEW_ID } from './judge-lines.js';
import type { Connection } from './staged-rows.js';

/** What was created out of a file. */
export interface CreatedRecords {
  customers: number;
  products: number;
  skus: number;
  orders: number;
  licences: number;
  charges: number;
  /** What the charges and credits amount to. */
  amount: string;
  /** Rows of unknown customers of which nothing could be made, and the line of the first. */
  left: number;
  firstLeft: number | null;
}

/** Whether there are no customers at all: then all of a file is created without being asked. */
export async function isEmptyGateway(connection: Connection): Promise<boolean> {
  const { rows } = await sql<{ empty: boolean }>`select not exists (select from customers) as empty`.execute(
    connection,
  );
  return rows[0]?.empty === true;
}

const chargeTypes = JSON.stringify(
  Object.fromEntries(Object.entries(microsoftChargeTypes).map(([type, words]) => [words, type])),
);
const CHARGES = sql.raw("('NEW', 'RENEW', 'CYCLE_CHARGE', 'ADD_QUANTITY', 'EXTEND_TERM')");

/**
 * Creates the customers of a file that the gateway does not know, with all that the file says of them: products, SKUs,
 * orders, lines, licences, charges and credits with their taxes, to the cent, marked with the reconciliation that they came with. What is
 * known is left alone. A row of which nothing can be made (no market, no product, an amount finer than the minor unit, a sign that contradicts its charge type)
 * is left, and missing here afterwards.
 * @throws {FileRefused} where the month is closed, so that nothing can be booked on it
 */
export async function createRecords(
  connection: Connection,
  file: { id: string; month: string; currency: string; now: Date },
): Promise<CreatedRecords> {
  await refuseClosed(connection, file.month);
  await takeRows(connection, file);
  const customers = await createCustomers(connection, file);
  const products = await createCatalog(connection, file);
  await takeLines(connection);
  const orders = await createOrders(connection, file);
  await cancelLines(connection);
  const charges = await bookLines(connection, file.month);
  const { rows } = await sql<{ left: number; firstLeft: number | null; amount: string }>`
    select (select coalesce(sum(amount), 0)::text from created_rows) as amount,
      count(*)::int as left, min(line) as "firstLeft"
    from staged_rows s
    where s.customer_tenant_id not in (select tenant_id from customers where imported_from is distinct from ${file.id}::uuid)
      and not exists (select from created_rows c where c.line = s.line)`.execute(connection);
  await sql`drop table created_rows, created_lines`.execute(connection);
  return { customers, ...products, ...orders, charges, ...(rows[0] as (typeof rows)[0]) };
}

/** Refuses a closed month in words of its own; what is not closed now stays open until this transaction ends. */
async function refuseClosed(connection: Connection, month: string): Promise<void> {
  const { rows } = await sql<{ open: string; closed: string | null }>`
    select to_char(booking_month(${month}::timestamp at time zone 'UTC'), 'YYYY-MM') as open,
      (select to_char(closed_at at time zone 'UTC', 'YYYY-MM-DD') from month_closings where month = ${month}::date) as closed`.execute(
    connection,
  );
  const { open, closed } = rows[0] as (typeof rows)[0];
  if (closed === null) return;
  const name = month.slice(0, 7);
  throw new FileRefused(
    `The month ${name} was closed here on ${closed}, so that nothing can be booked on it, and this file has charges to create. Say --month ${open} to book them on the next open month. For the next months set MONTH_CLOSE_DAYS so that Microsoft's file comes before the closing.`,
  );
}

/** The rows that something can be made of, with what is derived from their words. */
async function takeRows(
  connection: Connection,
  { month, currency }: { month: string; currency: string },
): Promise<void> {
  await sql`create temporary table created_rows on commit drop as
    with read as (
      select s.*, m.code as market, m.tax_inclusive,
        case when m.tax_inclusive then s.total else s.subtotal end as amount,
        ${chargeTypes}::jsonb ->> s.charge_type as type,
        coalesce(s.order_number, left(md5(coalesce(s.order_reference, s.subscription_id, s.customer_tenant_id || s.product_id || s.sku_id)), 12)) as number,
        coalesce(s.term_and_billing_cycle, '') as cycle,
        coalesce(s.subscription_start, s.charge_start) as starts, coalesce(s.subscription_end, s.charge_end) as ends,
        coalesce(s.ordered_at, s.charge_start::timestamp at time zone 'UTC', ${month}::timestamp at time zone 'UTC') as placed_at
      from staged_rows s join markets m on m.code = s.customer_country
      where not exists (select from customers c where c.tenant_id = s.customer_tenant_id)
        and s.product_id ~ '^[A-Z0-9]{12}$' and s.sku_id ~ '^[A-Z0-9]{4}$'
        and abs(s.quantity) <= 1000000 and s.quantity = trunc(s.quantity)
    ), kept as (
      select *, greatest(abs(quantity), 1)::int as pieces,
        case when customer_tenant_id::text = min(customer_tenant_id::text) over (partition by number) then number
          else left(md5(number || customer_tenant_id), 12) end as order_no,
        case
          when cycle = '' and charge_end is null then 'PERPETUAL_SOFTWARE'
          when cycle ~* '(reserv|savings)' then 'AZURE_RESERVATION'
          when concat_ws(' ', product_name, sku_name, publisher) ~* '\\y(SUSE|Red Hat)\\y' then 'LINUX_PLAN'
          else 'SOFTWARE_SUBSCRIPTION' end as kind,
        case
          when cycle ~* '(three|3)[- ]year' then 'P3Y'
          when cycle ~* '(one|1)[- ]year|annual' then 'P1Y'
          when cycle ~* '(one|1)[- ]month' then 'P1M'
          when ends - starts > 400 then 'P3Y'
          when ends - starts > 31 then 'P1Y' else 'P1M' end as term
      from read
      where type is not null and amount = round(amount, ${sql.lit(minorUnitDigits(currency))})
        and case when type in ${CHARGES} then amount >= 0 when type in ${CREDITS} then amount <= 0 else true end
        and not exists (select from orders o where o.number = read.number)
    )
    select *, ${NEW_ID} as invoice_line_id,
      case when amount % pieces = 0 or trunc(abs(amount) / pieces, 4) * pieces = abs(amount) then pieces else 1 end as billed,
      case when coalesce(billing_frequency, '') ~* 'month' then 'MONTHLY' when coalesce(billing_frequency, '') ~* 'trienn' then 'TRIENNIAL'
        when coalesce(billing_frequency, '') ~* '(annual|year)' then 'ANNUAL' else 'ONE_TIME' end as plan
    from kept`.execute(connection);
  await sql`analyze created_rows`.execute(connection);
}

async function createCustomers(connection: Connection, { id, now }: { id: string; now: Date }): Promise<number> {
  const { rows } = await sql`
    insert into customers (id, tenant_id, domain, company_name, market_code, contact_first_name, contact_last_name, contact_email, created_at, imported_from)
    select ${NEW_ID}, customer_tenant_id,
      case when customer_domain is not null and row_number() over (partition by customer_domain order by line) = 1
          and not exists (select from customers c where c.domain = customer_domain)
        then customer_domain else customer_tenant_id || '.invalid' end,
      customer_name, market, '', '', '', ${now}, ${id}::uuid
    from (select distinct on (customer_tenant_id) * from created_rows order by customer_tenant_id, line) first
    returning id`.execute(connection);
  return rows.length;
}

async function createCatalog(
  connection: Connection,
  { id }: { id: string },
): Promise<{ products: number; skus: number }> {
  const products = await sql`
    insert into products (id, product_id, title, publisher, imported_from)
    select ${NEW_ID}, product_id, coalesce(product_name, sku_name, product_id), coalesce(publisher, ''), ${id}::uuid
    from (select distinct on (product_id) * from created_rows order by product_id, line) first
    on conflict (product_id) do nothing returning id`.execute(connection);
  const skus = await sql`
    insert into skus (id, product_id, sku_id, title, kind, term_duration, billing_plan, imported_from)
    select ${NEW_ID}, p.id, first.sku_id, coalesce(first.sku_name, first.product_name, first.product_id || ':' || first.sku_id), kind,
      case when kind <> 'PERPETUAL_SOFTWARE' then term end, plan, ${id}::uuid
    from (select distinct on (product_id, sku_id) * from created_rows order by product_id, sku_id, line) first
    join products p on p.product_id = first.product_id
    on conflict (product_id, sku_id) do nothing returning id`.execute(connection);
  return { products: products.rows.length, skus: skus.rows.length };
}

/**
 * The lines of orders: one for each new charge; where the order is from before, one for its first row. Rows about them
 * know theirs by `of_line`; a cancellation that of the same quantity.
 */
async function takeLines(connection: Connection): Promise<void> {
  await sql`create temporary table created_lines on commit drop as
    select line, ${NEW_ID} as id, order_no, customer_tenant_id, product_id, sku_id, billed as quantity, abs(amount) / billed as unit,
      abs(amount) as total, kind, plan, starts, ends, placed_at, false as is_cancelled, null::timestamptz as left_at,
      (row_number() over (partition by order_no order by line) - 1)::int as line_number
    from (
      select *, row_number() over (partition by order_no, product_id, sku_id order by (amount >= 0) desc, line) as place,
        bool_or(type = 'NEW') over (partition by order_no, product_id, sku_id) as has_new
      from created_rows
    ) r
    where type = 'NEW' or not has_new and place = 1`.execute(connection);
  await sql`alter table created_rows add of_line int, add cancellation_line_id uuid`.execute(connection);
  await sql`update created_rows r set of_line = l.line from created_lines l where l.line = r.line`.execute(connection);
  await sql`update created_rows r set of_line = first.line
    from (select order_no, product_id, sku_id, min(line) as line from created_lines group by 1, 2, 3) first
    where r.of_line is null and (first.order_no, first.product_id, first.sku_id) = (r.order_no, r.product_id, r.sku_id)`.execute(
    connection,
  );
  // A line is cancelled whole: the first credit of a quantity cancels the first line that has it.
  await sql`update created_rows r set of_line = l.line, cancellation_line_id = ${NEW_ID}
    from (select line, order_no, product_id, sku_id, quantity, total, row_number() over (partition by order_no, product_id, sku_id, quantity order by line) as nth from created_lines) l,
      (select line, order_no, product_id, sku_id, billed, amount, row_number() over (partition by order_no, product_id, sku_id, billed order by line) as nth from created_rows where type = 'CANCEL_IMMEDIATE') c
    where c.line = r.line and -c.amount <= l.total
      and (l.order_no, l.product_id, l.sku_id, l.quantity, l.nth) = (c.order_no, c.product_id, c.sku_id, c.billed, c.nth)`.execute(
    connection,
  );
  await sql`update created_lines l set is_cancelled = true, left_at = greatest(r.placed_at, coalesce(r.charge_start::timestamp at time zone 'UTC', r.placed_at))
    from created_rows r where r.of_line = l.line and r.cancellation_line_id is not null`.execute(connection);
  await sql`analyze created_rows, created_lines`.execute(connection);
}
