import { AdvisoryLock } from '../../database/advisory-locks.js';
import type { Em } from '../../database/orm.js';

/** Deltas that are rolled up in one transaction. */
const SLICE = 20_000;
/** How often to look for deltas. Until then readers add them up themselves: answers do not wait for it. */
export const ROLL_UP_SECONDS = 10;

/** Adds what stands in `sales_deltas` to the totals (sales.entity.ts), in the caller's transaction. Answers how many. */
export async function rollUpSales(em: Em): Promise<number> {
  const [lock] = await em.execute<{ mine: boolean }[]>(
    `select pg_try_advisory_xact_lock(${AdvisoryLock.SALES_ROLL_UP}) as mine`,
  );
  if (!lock?.mine) return 0;
  const [rolledUp] = await em.execute<{ n: number }[]>(
    `with taken as (delete from sales_deltas where id in (select id from sales_deltas order by id limit ${SLICE}) returning *),
      spanned as (select *, date_trunc(span, day::timestamp)::date as start from taken cross join (values ('YEAR'), ('MONTH'), ('DAY')) spans (span)),
      by_product as (${addTo('sales_by_product', 'market_code, product_id, kind, currency')}),
      by_customer as (${addTo('sales_by_customer', 'customer_id, market_code, kind, currency')})
    select count(*)::int as n from taken`,
  );
  return rolledUp?.n ?? 0;
}

function addTo(table: string, key: string): string {
  const added = ['count', 'quantity', 'gross', 'credited'];
  return `insert into ${table} as total (span, start, ${key}, ${added})
    select span, start, ${key}, ${added.map((column) => `sum(${column})`)} from spanned group by span, start, ${key}
    on conflict (span, start, ${key}) do update set ${added.map((column) => `${column} = total.${column} + excluded.${column}`)}`;
}

/** Runs work in one transaction of its own. */
type Commit = <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;

/** Rolls up until nothing is left that was there: after a load. */
export async function rollUpAllSales(commit: Commit): Promise<void> {
  while ((await commit(rollUpSales)) === SLICE);
}
