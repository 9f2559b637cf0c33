import { sql } from 'kysely';
import type { Connection } from './staged-prices.js';

/*
 * A price list is a whole (rule 3): for its view, market and currency it says all that is sold. What an earlier list, or
 * an invented price, has beyond it ends where the list begins.
 */

/** Where a list of a view, market and currency begins, as text. */
export interface ListScope {
  view: string;
  market: string;
  currency: string;
  begins: string;
  /** Where the newest one that the catalog knows begins; null where it knows none. */
  known: string | null;
}

/** The view that a price belongs to, where no list had it yet. */
const VIEW = sql.raw(`coalesce(price.list_view, case when sku.kind = 'AZURE_RESERVATION' then 'AZURE_RESERVATIONS'
  when product.product_id like 'CFQ7%' then 'LICENSES' else 'SOFTWARE' end)`);

/**
 * Finds out where the lists in the file begin. Nobody writes it into the file: it is told, or else the latest start of
 * a price that is not in the future (prices change on the day a list is for), but not before the newest list known: what
 * is imported last is the newest.
 * @param begins told by the reader, for all of them
 */
export async function listScopes(connection: Connection, begins: Date | undefined): Promise<ListScope[]> {
  await sql`create temporary table list_scopes as
    select listed.view, listed.market, listed.currency,
      coalesce(${begins?.toISOString() ?? null}::timestamptz, greatest(listed.latest, known.begins)) as begins, known.begins as known
    from (
      select view, market, currency, coalesce(max(starts_at) filter (where starts_at <= now()), min(starts_at)) as latest
      from staged_prices group by view, market, currency
    ) listed left join lateral (
      select max(price.list_begins_at) as begins from prices price
      where price.list_view = listed.view and price.market_code = listed.market and price.currency = listed.currency
    ) known on true`.execute(connection);
  const { rows } = await sql<ListScope>`
    select view, market, currency, (begins at time zone 'UTC')::date::text as begins,
      case when known > begins then (known at time zone 'UTC')::date::text end as known
    from list_scopes order by view, market, currency`.execute(connection);
  return rows;
}

/**
 * Finds the prices that the lists lack, among those that hold where the lists begin or later. One whose SKU, segment,
 * term and billing plan the list has from a later day on holds until then.
 * @returns how many
 */
export async function findLacking(connection: Connection): Promise<number> {
  await sql`analyze listed_prices`.execute(connection);
  await sql`create temporary table lacking_prices as
    select price.id, greatest(scope.begins, listed.begins) as ends_at
    from list_scopes scope
      join prices price on price.market_code = scope.market and price.currency = scope.currency
      join skus sku on sku.id = price.sku_id
      join products product on product.id = sku.product_id
      left join (
        select sku_id, market, currency, segment, billing_plan, coalesce(term_duration, '') as term, min(starts_at) as begins
        from listed_prices group by 1, 2, 3, 4, 5, 6
      ) listed on listed.sku_id = price.sku_id and listed.market = price.market_code and listed.currency = price.currency
        and listed.segment = price.segment and listed.billing_plan = price.billing_plan and listed.term = coalesce(price.term_duration, '')
    where ${VIEW} = scope.view and price.effective_end_date > greatest(scope.begins, listed.begins)
      and not exists (select from listed_prices listed where listed.id = price.id)`.execute(connection);
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from lacking_prices`.execute(connection);
  return rows[0]?.count ?? 0;
}

/** Ends what the lists lack; a price that would begin only then was never one. */
export async function endLacking(transaction: Connection): Promise<void> {
  await sql`delete from prices using lacking_prices lacking
    where prices.id = lacking.id and prices.effective_start_date >= lacking.ends_at`.execute(transaction);
  await sql`update prices set effective_end_date = lacking.ends_at
    from lacking_prices lacking where prices.id = lacking.id`.execute(transaction);
}

/** Notes which list had each price last. */
export async function noteLists(transaction: Connection): Promise<void> {
  await sql`update prices set list_view = scope.view, list_begins_at = scope.begins
    from listed_prices listed
      join list_scopes scope on scope.view = listed.view and scope.market = listed.market and scope.currency = listed.currency
    where prices.id = listed.id and (prices.list_view, prices.list_begins_at) is distinct from (scope.view, scope.begins)`.execute(
    transaction,
  );
}
