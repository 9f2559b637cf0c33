import { type Kysely, sql } from 'kysely';
import { AdvisoryLock } from '../../database/advisory-locks.js';
import { newId } from '../../domain/ids.js';
import type { PriceListRow } from './price-list-row.js';

/** One connection of its own: the tables below belong to it and to nobody else. */
// biome-ignore lint/suspicious/noExplicitAny: temporary tables are in no schema
export type Connection = Kysely<any>;

/** A row with the line on which it starts. */
export interface StagedRow extends PriceListRow {
  line: number;
}

/** A row that contradicts the catalog or a row above it (`otherLine`). */
export interface Contradiction {
  line: number;
  column: 'TermDuration' | 'UnitPrice';
  value: string;
  otherLine: number | null;
  otherValue: string;
}

const TABLES = ['staged_prices', 'contradictions', 'listed_products', 'listed_skus', 'listed_prices'];

/** What one price is told by; the unique index `prices_identity_key` in words of the list. */
export const IDENTITY = sql.raw('product_id, sku_id, market, currency, segment, starts_at, coalesce(tier_min, 0)');

/** Takes the lock that `closeStage` gives back. Answers false while another import runs on this database. */
export async function lockImports(connection: Connection): Promise<boolean> {
  const { rows } = await sql<{
    free: boolean;
  }>`select pg_try_advisory_lock(${AdvisoryLock.PRICE_LIST}::int) as free`.execute(connection);
  return rows[0]?.free === true;
}

/** Makes the empty table. */
export async function openStage(connection: Connection): Promise<void> {
  await sql`set statement_timeout = 0`.execute(connection);
  await sql`create temporary table staged_prices (
    line int, new_product_id uuid, new_sku_id uuid, new_price_id uuid,
    product_id text, product_title text, publisher text, sku_id text, sku_title text, kind text, term_duration text,
    billing_plan text, market char(2), currency char(3), segment text, unit_price numeric, erp_price numeric,
    tier_min int, tier_max int, starts_at timestamptz(3), ends_at timestamptz(3))`.execute(connection);
}

/** Leaves the connection as it was found. */
export async function closeStage(connection: Connection): Promise<void> {
  await sql`drop table if exists ${sql.raw(TABLES.map((table) => `pg_temp.${table}`).join(', '))}`.execute(connection);
  await sql`reset statement_timeout`.execute(connection);
  await sql`select pg_advisory_unlock(${AdvisoryLock.PRICE_LIST}::int)`.execute(connection);
}

/** Adds a batch. Each row brings ids for whatever of it turns out to be new. */
export async function stage(connection: Connection, batch: readonly StagedRow[]): Promise<void> {
  const rows = batch.map((row) => ({ ...row, newProductId: newId(), newSkuId: newId(), newPriceId: newId() }));
  await sql`insert into staged_prices
    select line, "newProductId", "newSkuId", "newPriceId", "productId", "productTitle", publisher, "skuId", "skuTitle", kind, "termDuration",
      "billingPlan", market, currency, segment, "unitPrice", "erpPrice", "tierMin", "tierMax", "startsAt", "endsAt"
    from json_to_recordset(${JSON.stringify(rows)}::json) as batch(
      line int, "newProductId" uuid, "newSkuId" uuid, "newPriceId" uuid, "productId" text, "productTitle" text, publisher text, "skuId" text,
      "skuTitle" text, kind text, "termDuration" text, "billingPlan" text, market text, currency text, segment text, "unitPrice" numeric,
      "erpPrice" numeric, "tierMin" int, "tierMax" int, "startsAt" timestamptz, "endsAt" timestamptz)`.execute(
    connection,
  );
}

/**
 * Takes out the rows that contradict: another term for a SKU than the catalog or the first row of that SKU has, or
 * another price for the same identity and the same end. Gives them back in the order of the file.
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
      from staged_prices window ranked as (partition by ${IDENTITY} order by ends_at desc, line)
    )
    select line, 'TermDuration' as "column", coalesce(term_duration, 'OneTime') as value, other_line, coalesce(other_term, 'OneTime') as other_value
    from term where term_duration is distinct from other_term
    union all
    select line, 'UnitPrice', unit_price::text, other_line, other_price::text from price where differs`.execute(
    connection,
  );
  await sql`delete from staged_prices where line in (select line from contradictions)`.execute(connection);
  for (let after = 0; ; ) {
    const page =
      await sql<Contradiction>`select distinct on (line) line, "column", value, other_line as "otherLine", other_value as "otherValue"
      from contradictions where line > ${after} order by line, "column" limit 1000`.execute(connection);
    yield* page.rows;
    after = page.rows.at(-1)?.line ?? 0;
    if (after === 0) return;
  }
}
