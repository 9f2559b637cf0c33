import { sql } from 'kysely';
import { microsoftChargeTypes } from '../../domain/charge-type.js';
import { MatchedBy } from '../../domain/reconciliation.js';
import type { Connection } from './staged-rows.js';

/** What a file is held against. */
export interface Scope {
  /** First day of its month. */
  month: string;
  currency: string;
  /** Reconciliations that this one takes the place of: what they found does not count any more. */
  replaced: readonly string[];
}

/** The charge type of a line of ours, in Microsoft's words. */
const chargeType = sql`(${JSON.stringify(microsoftChargeTypes)}::jsonb ->> l.charge_type)`;

const ORDER = ['order_number', 'product_id', 'sku_id'];
const CONTENT = ['customer_tenant_id', 'product_id', 'sku_id'];

/**
 * How lines are taken for the same, the surest way first. By the order, its product and SKU; where neither side has the
 * other's order, by customer, product and SKU, for orders of this gateway's own have numbers that Microsoft never saw:
 * then in the same month by the amount
 * or the quantity, or in any by the amount and the day from which it is charged.
 */
const PASSES: readonly { by: MatchedBy; keys: readonly string[]; where?: string }[] = [
  { by: MatchedBy.ORDER, keys: [...ORDER, 'charge_type', 'start_key', 'amount'] },
  { by: MatchedBy.ORDER, keys: [...ORDER, 'charge_type', 'start_key'] },
  { by: MatchedBy.ORDER, keys: [...ORDER, 'charge_type', 'amount'] },
  { by: MatchedBy.ORDER, keys: [...ORDER, 'charge_type'] },
  { by: MatchedBy.ORDER, keys: [...ORDER, 'amount'] },
  { by: MatchedBy.CONTENT, keys: [...CONTENT, 'charge_type', 'start_key', 'amount'], where: "start_key <> ''" },
  { by: MatchedBy.CONTENT, keys: [...CONTENT, 'charge_type', 'amount'], where: 'distance = 0' },
  { by: MatchedBy.CONTENT, keys: [...CONTENT, 'charge_type', 'pieces'], where: 'distance = 0' },
];

/**
 * Pairs the staged rows with lines of our invoices of their month, the one before and the one after, each line once. What
 * another file was found to be about is left out. Both sides are tables of the connection afterwards: `our_lines`,
 * and `matched_lines` with line, id of ours and by what.
 */
export async function matchLines(connection: Connection, scope: Scope): Promise<void> {
  await takeOurs(connection, scope);
  await sql`create temporary table matched_lines (line int primary key, ours uuid unique, matched_by text)`.execute(
    connection,
  );
  await sql`create temporary table their_lines on commit drop as
    select s.line, s.customer_tenant_id, s.order_number, s.product_id, s.sku_id, s.charge_type,
      coalesce(s.charge_start::text, '') as start_key,
      case when coalesce(own.tax_inclusive, named.tax_inclusive, false) then s.total else s.subtotal end as amount,
      coalesce(own.tax_inclusive, named.tax_inclusive, false) as with_tax, abs(s.quantity) as pieces, 0 as distance
    from staged_rows s
    left join customers c on c.tenant_id = s.customer_tenant_id
    left join markets own on own.code = c.market_code
    left join markets named on named.code = s.customer_country`.execute(connection);
  await sql`analyze our_lines, their_lines`.execute(connection);
  for (const pass of PASSES) await match(connection, pass);
}

async function takeOurs(connection: Connection, { month, currency, replaced }: Scope): Promise<void> {
  await sql`create temporary table our_lines as
    select l.id, i.period_start as month, i.number as invoice_number, c.id as customer_id,
      c.tenant_id as customer_tenant_id, c.company_name, o.number as order_number, p.product_id, s.sku_id,
      s.title, ${chargeType} as charge_type, l.charge_start, l.charge_end,
      coalesce(l.charge_start::text, '') as start_key, l.quantity, l.quantity::numeric as pieces, l.unit_amount, l.amount, l.booked_at,
      abs(extract(year from age(i.period_start, ${month}::date)) * 12 + extract(month from age(i.period_start, ${month}::date)))::int as distance
    from invoices i
    join invoice_lines l on l.invoice_id = i.id
    join customers c on c.id = i.customer_id
    join order_lines ol on ol.id = l.order_line_id
    join orders o on o.id = ol.order_id
    join skus s on s.id = ol.sku_id
    join products p on p.id = s.product_id
    where i.currency = ${currency}
      and i.period_start between ${month}::date - interval '1 month' and ${month}::date + interval '1 month'
      and not exists (
        select 1 from reconciliation_lines r
        where r.invoice_line_id = l.id and r.verdict in ('EQUAL', 'DIFFERENT')
          and r.reconciliation_id <> all(${sql.val(`{${replaced.join()}}`)}::uuid[]))`.execute(connection);
}

async function match(connection: Connection, { by, keys, where = 'true' }: (typeof PASSES)[number]): Promise<void> {
  const columns = sql.raw(keys.join(', '));
  // An order that both know is never another one because its customer bought the same again.
  const isStranger = (other: string) =>
    by === MatchedBy.ORDER
      ? sql`order_number is not null`
      : sql`not exists (select 1 from ${sql.raw(other)} other where other.order_number = side.order_number)`;
  const side = (table: string, id: string, taken: string, other: string, order: string) => sql`
    select ${sql.raw(id)}, ${columns}, row_number() over (partition by ${columns} order by ${sql.raw(order)}) as nth
    from ${sql.raw(table)} side
    where ${sql.raw(where)} and ${isStranger(other)}
      and not exists (select 1 from matched_lines m where m.${sql.raw(taken)} = side.${sql.raw(id)})`;
  await sql`insert into matched_lines
    select line, id, ${by}
    from (${side('their_lines', 'line', 'line', 'our_lines', 'line')}) theirs
    join (${side('our_lines', 'id', 'ours', 'their_lines', 'distance, booked_at, id')}) ours
      using (${columns}, nth)`.execute(connection);
}
