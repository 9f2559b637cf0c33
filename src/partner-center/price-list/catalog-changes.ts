import { sql } from 'kysely';
import { type Connection, IDENTITY } from './staged-prices.js';

/** What becomes of a product, SKU or price of the list. */
export type Change = 'NEW' | 'CHANGED' | 'UNCHANGED';

/** How many of each. */
export type ChangeCounts = Record<Change, number>;

/**
 * Compares what is staged with the catalog. Of rows with one identity the latest end wins, then the first line; the
 * same row gives a SKU and a product their titles.
 */
export async function compareWithCatalog(
  connection: Connection,
): Promise<{ products: ChangeCounts; skus: ChangeCounts; prices: ChangeCounts }> {
  await sql`create temporary table listed_products as
    select distinct on (staged.product_id) coalesce(known.id, staged.new_product_id) as id, staged.product_id, staged.product_title as title,
      staged.publisher, ${changeOf('known', '(staged.product_title, staged.publisher)', '(known.title, known.publisher)')} as change
    from staged_prices staged left join products known on known.product_id = staged.product_id
    where not staged.is_removed
    order by staged.product_id, staged.ends_at desc, staged.line`.execute(connection);
  await sql`create temporary table listed_skus as
    select distinct on (product.id, staged.sku_id) coalesce(known.id, staged.new_sku_id) as id, product.id as product_id, product.product_id as product,
      staged.sku_id, staged.sku_title as title, staged.kind, staged.term_duration, staged.billing_plan,
      ${changeOf('known', 'staged.sku_title', 'known.title')} as change
    from staged_prices staged join listed_products product using (product_id)
      left join skus known on known.product_id = product.id and known.sku_id = staged.sku_id
    where not staged.is_removed
    order by product.id, staged.sku_id, staged.ends_at desc, staged.line`.execute(connection);
  await sql`create temporary table listed_prices as
    with winners as (select distinct on (${IDENTITY}) * from staged_prices where not is_removed order by ${IDENTITY}, ends_at desc, line)
    select coalesce(known.id, winner.new_price_id) as id, sku.id as sku_id, winner.view, winner.market, winner.currency, winner.segment,
      winner.term_duration, winner.billing_plan, winner.unit_price,
      winner.erp_price, winner.tier_min, winner.tier_max, winner.starts_at, winner.ends_at,
      ${changeOf(
        'known',
        "(winner.unit_price, winner.erp_price, winner.tier_max, winner.ends_at, 'PRICE_LIST')",
        '(known.unit_price, known.erp_price, known.pricing_tier_range_max, known.effective_end_date, known.source)',
      )} as change
    from winners winner join listed_skus sku on sku.product = winner.product_id and sku.sku_id = winner.sku_id
      left join prices known on known.sku_id = sku.id and known.market_code = winner.market and known.currency = winner.currency
        and known.segment = winner.segment and known.effective_start_date = winner.starts_at
        and known.term_duration is not distinct from winner.term_duration and known.billing_plan = winner.billing_plan
        and coalesce(known.pricing_tier_range_min, 0) = coalesce(winner.tier_min, 0)`.execute(connection);
  return {
    products: await countChanges(connection, 'listed_products'),
    skus: await countChanges(connection, 'listed_skus'),
    prices: await countChanges(connection, 'listed_prices'),
  };
}

/** Writes what is new and what has changed, and nothing else; one short transaction is the caller's. */
export async function writeChanges(transaction: Connection): Promise<void> {
  await sql`insert into products (id, product_id, title, publisher)
    select id, product_id, title, publisher from listed_products where change = 'NEW'`.execute(transaction);
  await sql`update products set title = listed.title, publisher = listed.publisher
    from listed_products listed where listed.change = 'CHANGED' and products.id = listed.id`.execute(transaction);
  // Without a policy of its own a SKU is sold by that of its kind.
  await sql`insert into skus (id, product_id, sku_id, title, kind, term_duration, billing_plan)
    select id, product_id, sku_id, title, kind, term_duration, billing_plan from listed_skus where change = 'NEW'`.execute(
    transaction,
  );
  await sql`update skus set title = listed.title
    from listed_skus listed where listed.change = 'CHANGED' and skus.id = listed.id`.execute(transaction);
  await sql`insert into prices (id, sku_id, market_code, currency, segment, term_duration, billing_plan, unit_price, erp_price, pricing_tier_range_min, pricing_tier_range_max,
      effective_start_date, effective_end_date, source)
    select id, sku_id, market, currency, segment, term_duration, billing_plan, unit_price, erp_price, tier_min, tier_max, starts_at, ends_at, 'PRICE_LIST'
    from listed_prices where change = 'NEW'`.execute(transaction);
  await sql`update prices set unit_price = listed.unit_price, erp_price = listed.erp_price, pricing_tier_range_max = listed.tier_max,
      effective_end_date = listed.ends_at, source = 'PRICE_LIST'
    from listed_prices listed where listed.change = 'CHANGED' and prices.id = listed.id`.execute(transaction);
}

const changeOf = (known: string, listed: string, kept: string) =>
  sql.raw(
    `case when ${known}.id is null then 'NEW' when ${listed} is distinct from ${kept} then 'CHANGED' else 'UNCHANGED' end`,
  );

async function countChanges(connection: Connection, table: string): Promise<ChangeCounts> {
  const { rows } = await sql<{
    change: Change;
    count: number;
  }>`select change, count(*)::int as count from ${sql.raw(table)} group by change`.execute(connection);
  return { NEW: 0, CHANGED: 0, UNCHANGED: 0, ...Object.fromEntries(rows.map(({ change, count }) => [change, count])) };
}
