import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import type { ToldEntitlement, ToldSubscription } from '../../domain/upstream.js';

/** States in which a subscription is no more. */
const ENDED = ['deleted', 'cancelled'];

/** Keeps what subscriptions say of licences that came by the mirror. Answers the lines whose subscription is no more. */
export async function keepSubscriptions(
  em: Em,
  customerId: string,
  told: readonly ToldSubscription[],
): Promise<string[]> {
  if (told.length === 0) return [];
  const rows = sql`json_to_recordset(${JSON.stringify(told)}::text::json) as "told" ("id" uuid, "state" text, "quantity" int,
    "endsAt" timestamptz)`;
  const kysely = em.getKysely();
  await sql`
    update "upstream_lines" "known" set "state" = "told"."state" from ${rows}
    where "known"."subscription_id" = "told"."id" and "known"."state" <> "told"."state"`.execute(kysely);
  await sql`
    update "entitlements" set "quantity" = greatest("told"."quantity", 1), "expires_at" = coalesce("told"."endsAt", "expires_at"),
      "status" = case when "told"."state" = 'pending' then "entitlements"."status" else 'ACTIVE' end
    from ${rows} join "upstream_lines" "known" on "known"."subscription_id" = "told"."id"
    where "entitlements"."order_line_id" = "known"."order_line_id" and "known"."is_mirrored"
      and "entitlements"."customer_id" = ${customerId} and "entitlements"."status" <> 'REVOKED'
      and not ("told"."state" = any(${ENDED}::text[]))`.execute(kysely);
  const { rows: ended } = await sql<{ id: string }>`
    select "known"."order_line_id" as "id" from ${rows} join "upstream_lines" "known" on "known"."subscription_id" = "told"."id"
    join "order_lines" on "order_lines"."id" = "known"."order_line_id"
    join "orders" on "orders"."id" = "order_lines"."order_id"
    where "told"."state" = any(${ENDED}::text[]) and "order_lines"."status" = 'ACTIVE'
      and "orders"."customer_id" = ${customerId}`.execute(kysely);
  return ended.map(({ id }) => id);
}

/** Keeps which licences that came by the mirror can be used. */
export async function keepEntitlements(em: Em, customerId: string, told: readonly ToldEntitlement[]): Promise<void> {
  if (told.length === 0) return;
  await sql`
    update "entitlements" set "status" = case when "told"."isProvisioned" then 'ACTIVE' else 'PENDING' end
    from json_to_recordset(${JSON.stringify(told)}::text::json) as "told" ("orderId" text, "lineNumber" int, "quantity" int,
      "isProvisioned" boolean)
    join "upstream_lines" "known" on "known"."upstream_order_id" = "told"."orderId" and "known"."line_number" = "told"."lineNumber"
    where "entitlements"."order_line_id" = "known"."order_line_id" and "known"."is_mirrored" and "told"."quantity" > 0
      and "entitlements"."customer_id" = ${customerId} and "entitlements"."status" <> 'REVOKED'`.execute(
    em.getKysely(),
  );
}
