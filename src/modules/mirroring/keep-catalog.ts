import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import { newId } from '../../domain/ids.js';
import { BillingPlan, type ProductKind } from '../../domain/product-kind.js';
import type { ToldOrder, ToldOrderLine } from '../../domain/upstream.js';
import { kindOf } from './sku-of-line.js';

/** A SKU of the catalog, as lines of the upstream are kept with it. */
export interface KnownSku {
  id: string;
  kind: ProductKind;
  termDuration: string | null;
}

const TERM = /^P[1-9]\d*[MY]$/;
const plans: Record<string, BillingPlan> = {
  monthly: BillingPlan.MONTHLY,
  annual: BillingPlan.ANNUAL,
  triennial: BillingPlan.TRIENNIAL,
};

/** How an order is billed, in our words. */
export const planOf = ({ billingCycle }: Pick<ToldOrder, 'billingCycle'>): BillingPlan =>
  plans[billingCycle] ?? BillingPlan.ONE_TIME;

/** The name by which a SKU is found. */
export const nameOf = ({ productId, skuId }: NonNullable<ToldOrderLine['product']>) => `${productId}:${skuId}`;

/** The SKUs that orders are of, by name; those that the catalog lacks are added to it. */
export async function keepCatalog(em: Em, orders: readonly ToldOrder[]): Promise<Map<string, KnownSku>> {
  const wanted = new Map<string, Record<string, unknown>>();
  for (const order of orders)
    for (const { product, title, termDuration } of order.lines) {
      if (!product || wanted.has(nameOf(product))) continue;
      const term = termDuration && TERM.test(termDuration) ? termDuration : null;
      const kind = kindOf({ termDuration: term, title });
      const ids = { id: newId(), productRow: newId(), ...product };
      wanted.set(nameOf(product), { ...ids, title: title ?? nameOf(product), kind, term, plan: planOf(order) });
    }
  if (wanted.size === 0) return new Map();
  const rows = JSON.stringify([...wanted].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row));
  const kysely = em.getKysely();
  const told = sql`json_to_recordset(${rows}::text::json) as "told" ("id" uuid, "productRow" uuid, "productId" text,
    "skuId" text, "title" text, "kind" text, "term" text, "plan" text)`;
  const find = async () => {
    const { rows: found } = await sql<KnownSku & { name: string }>`
      select "skus"."id", "skus"."kind", "skus"."term_duration" as "termDuration",
        "products"."product_id" || ':' || "skus"."sku_id" as "name"
      from ${told} join "products" on "products"."product_id" = "told"."productId"
      join "skus" on "skus"."product_id" = "products"."id" and "skus"."sku_id" = "told"."skuId"`.execute(kysely);
    return new Map(found.map(({ name, ...sku }) => [name, sku]));
  };
  const known = await find();
  if (known.size === wanted.size) return known;
  await sql`
    insert into "products" ("id", "product_id", "title", "publisher")
    select distinct on ("productId") "productRow", "productId", "title", '' from ${told} order by "productId"
    on conflict ("product_id") do nothing`.execute(kysely);
  await sql`
    insert into "skus" ("id", "product_id", "sku_id", "title", "kind", "term_duration", "billing_plan")
    select "told"."id", "products"."id", "skuId", "told"."title", "kind", "term", "plan"
    from ${told} join "products" on "products"."product_id" = "told"."productId"
    order by "told"."productId", "skuId"
    on conflict ("product_id", "sku_id") do nothing`.execute(kysely);
  return find();
}
