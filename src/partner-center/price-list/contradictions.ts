import { sql } from 'kysely';
import { type Connection, IDENTITY } from './staged-prices.js';

/** A row that contradicts the catalog or a row above it (`otherLine`). */
export interface Contradiction {
  line: number;
  column: 'TermDuration' | 'UnitPrice' | 'PricingTierRangeMin';
  value: string;
  otherLine: number | null;
  otherValue: string;
}

/** A range of quantities as it is shown. */
const range = (row: string) =>
  sql.raw(
    `coalesce(${row}.tier_min, 1) || case when ${row}.tier_max is null then ' and more' else ' to ' || ${row}.tier_max end`,
  );
const quantities = (row: string) => sql.raw(`int8range(coalesce(${row}.tier_min, 0), ${row}.tier_max, '[]')`);

/**
 * Takes out the rows that contradict: a SKU that is perpetual in one row and has a term in another or in the catalog,
 * another price for the same identity and the same end, and a tier that overlaps another one of the same price. Gives them
 * back in the order of the file.
 */
export async function* takeContradictions(connection: Connection): AsyncGenerator<Contradiction> {
  await sql`analyze staged_prices`.execute(connection);
  await sql`create temporary table contradictions as
    with first_of_sku as (
      select distinct on (product_id, sku_id) product_id, sku_id, line, term_duration from staged_prices order by product_id, sku_id, line
    ), term as (
      select staged.line, staged.term_duration, case when skus.id is null then first.line end as other_line,
        case when skus.id is null then first.term_duration else skus.term_duration end as other_term
      from staged_prices staged join first_of_sku first using (product_id, sku_id)
        left join products on products.product_id = staged.product_id
        left join skus on skus.product_id = products.id and skus.sku_id = staged.sku_id
    ), price as (
      select line, unit_price, first_value(line) over ranked as other_line, first_value(unit_price) over ranked as other_price,
        ends_at = first_value(ends_at) over ranked
          and (unit_price, erp_price, tier_max) is distinct from
            (first_value(unit_price) over ranked, first_value(erp_price) over ranked, first_value(tier_max) over ranked) as differs
      from staged_prices where not is_removed window ranked as (partition by ${IDENTITY} order by ends_at desc, line)
    ), tiers as materialized (
      select distinct on (${IDENTITY}) *, coalesce(term_duration, '') as term from staged_prices
      where not is_removed order by ${IDENTITY}, ends_at desc, line
    )
    select line, 'TermDuration' as "column", coalesce(term_duration, 'OneTime') as value, other_line, coalesce(other_term, 'OneTime') as other_value
    from term where (term_duration is null) <> (other_term is null)
    union all
    select line, 'UnitPrice', unit_price::text, other_line, other_price::text from price where differs
    union all
    select tier.line, 'PricingTierRangeMin', ${range('tier')}, other.line, ${range('other')}
    from tiers tier join tiers other using (product_id, sku_id, market, currency, segment, term, billing_plan, starts_at)
    where other.line < tier.line and ${quantities('tier')} && ${quantities('other')}`.execute(connection);
  await sql`delete from staged_prices where line in (select line from contradictions)`.execute(connection);
  for (let after = 0; ; ) {
    const page =
      await sql<Contradiction>`select distinct on (line) line, "column", value, other_line as "otherLine", other_value as "otherValue"
      from contradictions where line > ${after} order by line, "column", other_line limit 1000`.execute(connection);
    yield* page.rows;
    after = page.rows.at(-1)?.line ?? 0;
    if (after === 0) return;
  }
}
