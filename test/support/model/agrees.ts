import { expect } from '@jest/globals';
import { checkLedger } from '../../../src/modules/billing/check-ledger.js';
import { until } from '../until.js';
import type { Model, ModelOrder } from './model.js';
import { inDollars, type World } from './world.js';

/** Entries that are the partner's, not a customer's: no model counts them. */
const held = `
  select
    (select coalesce(json_object_agg(action, n), '{}') from
      (select action, count(*)::int as n from activity_entries where customer_id = any(?) group by action) as counts) as entries,
    (select coalesce(sum(amount) filter (where kind = 'CHARGE'), 0)::text from invoice_lines
      join invoices on invoices.id = invoice_id where customer_id = any(?)) as charged,
    (select coalesce(-sum(amount) filter (where kind = 'CREDIT'), 0)::text from invoice_lines
      join invoices on invoices.id = invoice_id where customer_id = any(?)) as credited,
    (select coalesce(json_agg(json_build_array(number, orders.status,
        (select json_agg(order_lines.status order by line_number) from order_lines where order_id = orders.id),
        (select count(*)::int from product_keys join entitlements on entitlements.id = entitlement_id
          join order_lines on order_lines.id = order_line_id where order_id = orders.id)) order by number), '[]')
      from orders where customer_id = any(?)) as orders,
    (select coalesce(json_agg(json_build_array(concat_ws(' ', i.customer_id, i.period_start, coalesce(about.period_start::text, '')),
        (select sum(amount) from invoice_lines where invoice_id = i.id)::text, i.issued_at is not null) order by i.customer_id, i.period_start, about.period_start nulls first), '[]')
      from invoices i left join invoices about on about.id = i.amends_of_id where i.customer_id = any(?)) as documents,
    (select coalesce(sum(gross) - sum(credited), 0)::text from
      (select gross, credited from sales_deltas where customer_id = any(?)
       union all select gross, credited from sales_by_customer where span = 'YEAR' and customer_id = any(?)) as sales) as sold,
    (select count(*)::int from product_key_pool where taken_at is null) as free,
    (select count(*)::int from jobs) as jobs`;

/** Waits until the provider has answered for all that was cancelled of an order. */
export async function confirmed({ gateway }: World, { number }: ModelOrder): Promise<void> {
  await until('it is confirmed', async () => {
    const pending = await gateway.sql(
      `select from cancellations join orders on orders.id = order_id where number = ? and cancellations.status = 'PENDING'`,
      [number],
    );
    return pending.length === 0;
  });
}

/**
 * Holds what is in the database against the model: amounts, states, keys given, entries, invoices and credit notes, sums of
 * sales. And the ledger balances.
 */
export async function agrees(model: Model, world: World): Promise<void> {
  const customers = `{${model.customers.map(({ rowId }) => rowId).join()}}`;
  const [row] = await world.gateway.sql<Record<string, unknown>>(held.replaceAll('any(?)', 'any(?::uuid[])'), [
    ...Array.from({ length: 7 }, () => customers),
  ]);
  const parsed = (value: unknown) => (typeof value === 'string' ? JSON.parse(value) : value);
  const orders = model.orders.map(({ number, lines }) => {
    const states = lines.map(({ isCancelled }) => (isCancelled ? 'CANCELLED' : 'ACTIVE'));
    const status = states.includes('ACTIVE') ? 'COMPLETED' : 'CANCELLED';
    return [number, status, states, lines.filter(({ key }) => key !== null).length];
  });
  const json = {
    entries: parsed(row?.['entries']),
    orders: parsed(row?.['orders']),
    documents: parsed(row?.['documents']),
  };
  const documents = [...model.documents].toSorted(([one], [other]) => (one < other ? -1 : 1));
  expect({ ...row, ...json }).toEqual({
    entries: Object.fromEntries(model.entries),
    charged: model.charged === 0 ? '0' : inDollars(model.charged),
    credited: model.credited === 0 ? '0' : inDollars(model.credited),
    sold: model.charged === 0 ? '0' : inDollars(model.charged - model.credited),
    orders: orders.toSorted(([one], [other]) => ((one as string) < (other as string) ? -1 : 1)),
    documents: documents.map(([document, cents]) => [
      document,
      inDollars(cents),
      world.closed.has(document.split(' ')[1] as string),
    ]),
    free: world.freeKeys.size,
    jobs: 0,
  });
  expect((await checkLedger(world.gateway.gateway.services.kysely)).fault).toBeNull();
}
