import { type Kysely, sql } from 'kysely';
import { AdvisoryLock } from '../database/advisory-locks.js';

/** What a gateway learns of its database when it connects. */
export interface Incarnation {
  /** Cursors name it. */
  id: string;
  /** Whether this process found that the database is another than the last gateway knew: restored, or failed over. */
  isNew: boolean;
}

/**
 * Makes sure that the database bears the id of its own incarnation, and answers it. A restored dump brings the id of
 * the database that it is from, and its entries the transaction ids of another cluster; a replica that was promoted may
 * lack the last transactions, and gives their ids out again. Both show in what PostgreSQL says of itself (cluster,
 * database, table, timeline), and get a new id: cursors from before are answered with CURSOR_EXPIRED instead of being
 * silently wrong.
 */
export async function establishIncarnation(kysely: Kysely<unknown>): Promise<Incarnation> {
  return kysely.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${AdvisoryLock.INCARNATION}::bigint)`.execute(transaction);
    const { rows } = await sql<{ id: string; known: string | null; cluster: string; timeline: string }>`
      select "id", "fingerprint" as "known",
        concat_ws('/', (select system_identifier from pg_control_system()),
          (select oid from pg_database where datname = current_database()), 'activity_entries'::regclass::oid) as "cluster",
        substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as "timeline"
      from "database_incarnation"`.execute(transaction);
    const { id, known, cluster, timeline } = rows[0] as (typeof rows)[number];
    const found = `${cluster}/${timeline}`;
    if (known === found) return { id, isNew: false };
    if (known === null) {
      await sql`update "database_incarnation" set "fingerprint" = ${found}`.execute(transaction);
      return { id, isNew: false };
    }
    const renewed = await sql<{ id: string }>`update "database_incarnation"
      set "id" = gen_random_uuid(), "fingerprint" = ${found} returning "id"`.execute(transaction);
    // A promoted replica's transaction ids go on by themselves, and others may be writing already.
    if (!known.startsWith(`${cluster}/`)) {
      await sql`update "database_incarnation" set "xid_offset" =
        greatest("xid_offset", (select max("xid"::text::bigint) from "activity_entries"))`.execute(transaction);
    }
    return { id: (renewed.rows[0] as { id: string }).id, isNew: true };
  });
}
