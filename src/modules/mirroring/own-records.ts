import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import type { ToldRecord } from '../../domain/upstream.js';

/** An operation in one spelling. */
export const operationOf = ({ operation }: Pick<ToldRecord, 'operation'>) =>
  operation.replaceAll('_', '').toLowerCase();

/**
 * The ids of records of what the gateway itself has done: their correlation id is that of an intent, or they say that an order
 * was placed which one has become.
 */
export async function ownRecords(em: Em, records: readonly ToldRecord[]): Promise<Set<string>> {
  const rows = records.map((record) => ({
    ...record,
    placed: operationOf(record) === 'createorder' ? record.orderId : null,
  }));
  const { rows: own } = await sql<{ id: string }>`
    select "told"."id" from json_to_recordset(${JSON.stringify(rows)}::text::json)
      as "told" ("id" text, "tenantId" uuid, "correlationId" uuid, "placed" text)
    where exists (select from "upstream_intents" where "upstream_intents"."id" = "told"."correlationId")
      or ("placed" is not null and exists (
        select from "customers" join "orders" on "orders"."customer_id" = "customers"."id"
        join "upstream_intents" "intent" on "intent"."order_id" = "orders"."id" and "intent"."kind" = 'PURCHASE'
        cross join lateral jsonb_array_elements("intent"."lines") as "line"
        where "customers"."tenant_id" = "told"."tenantId"
          and ("line" -> 'order' ->> 'id' = "placed" or lower("line" -> 'order' ->> 'alternateId') = lower("placed"))))`.execute(
    em.getKysely(),
  );
  return new Set(own.map(({ id }) => id));
}
