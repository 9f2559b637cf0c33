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

const TABLES = [
  'staged_prices',
  'contradictions',
  'listed_products',
  'listed_skus',
  'listed_prices',
  'list_scopes',
  'lacking_prices',
];

/** What one price is told by; the unique index `prices_identity_key` in words of the list. */
export const IDENTITY = sql.raw(
  "product_id, sku_id, market, currency, segment, coalesce(term_duration, ''), billing_plan, starts_at, coalesce(tier_min, 0)",
);

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
    billing_plan text, view text, is_removed boolean, market char(2), currency char(3), segment text, unit_price numeric, erp_price numeric,
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
      "billingPlan", view, "isRemoved", market, currency, segment, "unitPrice", "erpPrice", "tierMin", "tierMax", "startsAt", "endsAt"
    from json_to_recordset(${JSON.stringify(rows)}::json) as batch(
      line int, "newProductId" uuid, "newSkuId" uuid, "newPriceId" uuid, "productId" text, "productTitle" text, publisher text, "skuId" text,
      "skuTitle" text, kind text, "termDuration" text, "billingPlan" text, view text, "isRemoved" boolean, market text, currency text, segment text, "unitPrice" numeric,
      "erpPrice" numeric, "tierMin" int, "tierMax" int, "startsAt" timestamptz, "endsAt" timestamptz)`.execute(
    connection,
  );
}
