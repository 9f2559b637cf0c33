import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import { referenceProducts } from '../reference/reference-data.js';
import type { PricedSku } from './prices.js';

/** How many rows there are already; new ones are numbered from there on. */
export interface Counts {
  customers: number;
  orders: number;
  activity: number;
  /** First days of the months that are closed: nothing is booked on them any more. */
  closedMonths: ReadonlySet<string>;
  supportRequests: number;
}

/** Counts what a load adds to. */
export async function countAll(em: Em): Promise<Counts> {
  return {
    customers: await countRows(em, 'customers'),
    orders: await countRows(em, 'orders'),
    activity: await countRows(em, 'activity_entries'),
    closedMonths: await closedMonths(em),
    supportRequests: await countRows(em, 'support_requests'),
  };
}

async function closedMonths(em: Em): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ month: string }>`select month::text as month from month_closings`.execute(
    em.getKysely(),
  );
  return new Set(rows.map(({ month }) => month));
}

/** Whether a table has rows, without counting them: it is asked at every start, of tables of any size. */
export async function hasRows(em: Em, table: string): Promise<boolean> {
  const { rows } = await sql<{ some: boolean }>`select exists (select from ${sql.table(table)}) as "some"`.execute(
    em.getKysely(),
  );
  return rows[0]?.some ?? false;
}

/** How many rows a table has. */
async function countRows(em: Em, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(em.getKysely());
  return rows[0]?.n ?? 0;
}

/** The SKUs of the reference data with the ids that their rows have: an import may have made a row first. */
export async function pricedSkus(em: Em): Promise<PricedSku[]> {
  const { rows } = await sql<{ id: string; productRowId: string; product: string; sku: string }>`
    select skus.id, products.id as "productRowId", products.product_id as product, skus.sku_id as sku
    from skus join products on products.id = skus.product_id
  `.execute(em.getKysely());
  const idsByCatalogId = new Map(rows.map(({ product, sku, ...ids }) => [`${product}:${sku}`, ids]));
  return referenceProducts.flatMap(({ skus }) =>
    skus.map((sku) => {
      const ids = idsByCatalogId.get(`${sku.productId}:${sku.skuId}`);
      if (!ids) throw new Error(`The database has no SKU ${sku.productId}:${sku.skuId}; load the reference data first`);
      return { ...sku, ...ids };
    }),
  );
}
