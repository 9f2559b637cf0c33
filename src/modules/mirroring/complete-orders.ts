import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';

/** Who is named where the upstream does not say who bought. */
export const SOMEBODY = 'partner-center';

/**
 * Completes orders that came by the mirror with what only the records of their purchase say: who bought, and how much of what
 * was cancelled before it was seen here for the first time. Whichever comes first, the order or its record.
 * @param orderIds ids of the upstream's orders, either of the two
 */
export async function completeOrders(em: Em, orderIds: readonly (string | null)[]): Promise<void> {
  const ids = orderIds.filter((id) => id !== null);
  if (ids.length === 0) return;
  const told = sql`"upstream_records" "record"
    join "upstream_lines" "known" on "known"."is_mirrored"
      and ("known"."upstream_order_id" = "record"."upstream_order_id" or "known"."alternate_id" = lower("record"."upstream_order_id"))
    join "order_lines" "line" on "line"."id" = "known"."order_line_id"`;
  const isMeant = sql`"record"."upstream_order_id" = any(${ids}::text[])
    and replace(lower("record"."operation"), '_', '') = 'createorder'`;
  const kysely = em.getKysely();
  await sql`
    update "orders" set "placed_by" = "record"."actor" from ${told}
    where ${isMeant} and "orders"."id" = "line"."order_id" and "orders"."placed_by" = ${SOMEBODY}
      and "record"."actor" is not null`.execute(kysely);
  const bought = sql`("record"."quantities" ->> "known"."line_number")::int`;
  const isLost = sql`${isMeant} and "line"."status" = 'CANCELLED' and not "known"."is_priced" and ${bought} > 0`;
  await sql`
    update "entitlements" set "quantity" = ${bought} from ${told}
    where "entitlements"."order_line_id" = "line"."id" and ${isLost}`.execute(kysely);
  await sql`
    update "order_lines" set "quantity" = ${bought}, "total" = "order_lines"."unit_price" * ${bought} from ${told}
    where "order_lines"."id" = "line"."id" and ${isLost}`.execute(kysely);
}
