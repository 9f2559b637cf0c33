import { type Kysely, sql } from 'kysely';

/** Product keys of a version that are left to give. */
export interface KeysLeft {
  productId: string;
  skuId: string;
  version: string;
  count: number;
  /** Somebody wanted one when there was none, and none was stored since. */
  isShort: boolean;
}

/** How many product keys are left of each version that any were stored or wanted of. */
export async function countKeysLeft(kysely: Kysely<unknown>): Promise<KeysLeft[]> {
  const { rows } = await sql<KeysLeft>`
    select "products"."product_id" as "productId", "skus"."sku_id" as "skuId", "offered"."version",
      "free"."count", "short"."is" as "isShort"
    from "software_versions" as "offered"
    join "skus" on "skus"."id" = "offered"."sku_id"
    join "products" on "products"."id" = "skus"."product_id"
    cross join lateral (
      select count(*)::int as "count" from "product_key_pool" as "key"
      where "key"."sku_id" = "offered"."sku_id" and "key"."version" = "offered"."version" and "key"."taken_at" is null
    ) as "free"
    cross join lateral (
      select exists (
        select from "product_key_shortages" as "shortage"
        where "shortage"."sku_id" = "offered"."sku_id" and "shortage"."version" = "offered"."version"
      ) as "is"
    ) as "short"
    where "free"."count" > 0 or "short"."is" or exists (
      select from "product_key_pool" as "key"
      where "key"."sku_id" = "offered"."sku_id" and "key"."version" = "offered"."version"
    )
    order by 1, 2, "offered"."position"`.execute(kysely);
  return rows;
}
