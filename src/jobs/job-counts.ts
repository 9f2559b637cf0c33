import { type Kysely, sql } from 'kysely';
import type { JobKind, JobState } from '../domain/job-kind.js';

/** How many jobs of a kind are in a state, and since when the one has waited that has waited longest. */
export interface JobCount {
  kind: JobKind;
  state: JobState;
  count: number;
  /** Seconds. */
  oldestSeconds: number;
}

/** The jobs of the database as they are, by kind and state. */
export async function countJobs(kysely: Kysely<unknown>): Promise<JobCount[]> {
  const { rows } = await sql<JobCount>`
    select "kind", "state", count(*)::int as "count",
      extract(epoch from now() - min("enqueued_at"))::float8 as "oldestSeconds"
    from "jobs" group by "kind", "state"`.execute(kysely);
  return rows;
}
