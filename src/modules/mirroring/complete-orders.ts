import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import type { ToldRecord } from '../../domain/upstream.js';
import { SOMEBODY } from './add-orders.js';
import { operationOf } from './own-records.js';

/**
 * Completes orders that came by the mirror with what only the records of their purchase say: who bought, and how much of what
 * was cancelled before it was seen here for the first time.
 */
export async function completeOrders(em: Em, records: readonly ToldRecord[]): Promise<void> {
  const placed = records.filter((record) => record.orderId !== null && operationOf(record) === 'createorder');
  if (placed.length === 0) return;
  const told = sql`json_to_recordset(${JSON.stringify(placed)}::text::json) as "told" ("orderId" text, "actor" text, "quantities" jsonb)
    join "upstream_lines" "known" on "known"."is_mirrored"
      and ("known"."upstream_order_id" = "told"."orderId" or "known"."alternate_id" = lower("told"."orderId"))
    join "order_lines" "line" on "line"."id" = "known"."order_line_id"`;
  const kysely = em.getKysely();
  await sql`
    update "orders" set "placed_by" = "told"."actor" from ${told}
    where "orders"."id" = "line"."order_id" and "orders"."placed_by" = ${SOMEBODY} and "told"."actor" is not null`.execute(
    kysely,
  );
  const bought = sql`("told"."quantities" ->> "known"."line_number")::int`;
  const isLost = sql`"line"."status" = 'CANCELLED' and not "known"."is_priced" and ${bought} > 0`;
  await sql`
    update "entitlements" set "quantity" = ${bought} from ${told}
    where "entitlements"."order_line_id" = "line"."id" and ${isLost}`.execute(kysely);
  await sql`
    update "order_lines" set "quantity" = ${bought}, "total" = "order_lines"."unit_price" * ${bought} from ${told}
    where "order_lines"."id" = "line"."id" and ${isLost}`.execute(kysely);
}
