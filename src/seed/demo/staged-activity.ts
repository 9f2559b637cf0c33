import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';

/** Entries that go into the log in one statement. */
const SLICE = 20_000;

/** All but the two that the database gives: transaction and place in the log. */
const columns = sql.raw(`id, at, action, outcome, actor, actor_role, application, actor_issuer,
  actor_tenant_id, actor_object_id, customer_id, order_id, product_ids,
  resource_type, resource_id, resource_label, correlation_id, detail`);

/** Makes the table that entries wait in until all are known. It is gone when the transaction ends. */
export async function stageActivity(em: Em): Promise<void> {
  await sql`
    create temporary table staged_activity on commit drop as
    select 0 as place, ${columns}
    from activity_entries with no data
  `.execute(em.getKysely());
}

/** Writes the waiting entries into the log by time: the log's order is that of insertion. */
export async function publishActivity(em: Em, onProgress: (written: number) => void): Promise<void> {
  const connection = em.getKysely();
  await sql`create temporary table ordered_activity on commit drop as
    select row_number() over (order by at, place) as turn, * from staged_activity`.execute(connection);
  await sql`create index on ordered_activity (turn)`.execute(connection);
  await sql`analyze ordered_activity`.execute(connection);
  for (let written = 0; ; written += SLICE) {
    const { numAffectedRows } = await sql`
      insert into activity_entries (${columns})
      select ${columns}
      from ordered_activity where turn > ${written} and turn <= ${written + SLICE} order by turn
    `.execute(connection);
    if (!numAffectedRows) return;
    onProgress(written + Number(numAffectedRows));
  }
}
