import { type Kysely, sql } from 'kysely';

/** How many files nobody has judged, and for how many seconds the oldest of them has been there; 0 where there is none. */
export async function countUnscanned(database: Kysely<unknown>): Promise<{ count: number; oldestSeconds: number }> {
  const { rows } = await sql<{ count: number; oldestSeconds: number }>`
    select count(*)::int as count,
      coalesce(extract(epoch from clock_timestamp() - min(uploaded_at)), 0)::float as "oldestSeconds"
    from support_files where scan_verdict is null
  `.execute(database);
  return rows[0] as { count: number; oldestSeconds: number };
}
