import { type Kysely, sql } from 'kysely';
import type { JobKind, JobState, PeriodicWorkKind } from '../domain/job-kind.js';

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

/** Whether work that comes again by itself is done. */
export interface PeriodicWorkState {
  kind: PeriodicWorkKind;
  /** Attempts that have failed since it was last done. */
  failures: number;
  /** Seconds since it was last done; null before the first time. */
  doneSeconds: number | null;
}

/** The work of the database that comes again by itself. */
export async function lookAtPeriodicWork(kysely: Kysely<unknown>): Promise<PeriodicWorkState[]> {
  const { rows } = await sql<PeriodicWorkState>`
    select "kind", "failures", extract(epoch from now() - "succeeded_at")::float8 as "doneSeconds"
    from "periodic_work"`.execute(kysely);
  return rows;
}
