import type { Db } from 'pg-boss';
import type { Em } from '../database/orm.js';
import { write } from '../database/writes.js';

/** Stands for whoever it is not known of who asked. */
const NOBODY = '';

/** Under which key pg-boss keeps who asked for a job: it has an index by it over all that waits. */
export const askerKey = (askedBy: string | null): string => askedBy ?? NOBODY;

/**
 * The priority of a job of queue `$1` that asker `$2` enqueues now, as SQL: after the asker's own newest, and not before
 * whatever is next. So of many who ask each has a job done in turn, however many jobs one of them has waiting; jobs of one
 * asker keep their order, and none waits for ever, as priorities only sink while anything waits.
 */
const PRIORITY = `least(
  coalesce((select "priority" from "pgboss"."job" where "name" = $1 and "state" < 'active' and not "blocked" and "start_after" <= now()
    order by "priority" desc limit 1), 0),
  (select min("priority") - 1 from "pgboss"."job" where "name" = $1 and "singleton_key" = $2 and "state" < 'active'))`;

/** How a job is kept: pauses and times in seconds. */
export interface Terms {
  retryLimit: number;
  retryDelay: number;
  retryDelayMax: number;
  expireSeconds: number;
  keptSeconds: number;
}

const INSERT = `insert into "pgboss"."job" ("name", "singleton_key", "id", "data", "priority", "start_after", "keep_until", "policy",
    "retry_limit", "retry_delay", "retry_backoff", "retry_delay_max", "expire_seconds", "deletion_seconds")
  select $1::text, $2::text, $3::uuid, $4::text::jsonb, ${PRIORITY}, "due"."at", "due"."at" + $6::int * interval '1 second', "policy",
    $7::int, $8::int, $8::int > 0, $9::int, $10::int, 0
  from "pgboss"."queue", (select now() + $5::float8 * interval '1 millisecond' as "at") "due" where "name" = $1
  on conflict do nothing`;

/** Inserts a job as pg-boss' own `send` does, with its priority, when the transaction writes; the same id again is no second job. */
export function insertJob(
  em: Em,
  job: { queue: string; asker: string; id: string; data: object; delayMs: number },
  terms: Terms,
): void {
  const { queue, asker, id, data, delayMs } = job;
  const { keptSeconds, retryLimit, retryDelay, retryDelayMax, expireSeconds } = terms;
  const kept = [keptSeconds, retryLimit, retryDelay, retryDelayMax, expireSeconds];
  write(em, INSERT, [queue, asker, id, JSON.stringify(data), delayMs, ...kept]);
}

/** Puts a job whose attempt failed behind what its asker has waiting: failures of the one delay no other's jobs. */
export async function putLast(db: Db, queue: string, id: string): Promise<void> {
  await db.executeSql(
    `with "asked" as (select "singleton_key" from "pgboss"."job" where "name" = $1 and "id" = $2)
    update "pgboss"."job" set "priority" = ${PRIORITY.replace('$2', '(select "singleton_key" from "asked")')}
    where "name" = $1 and "id" = $2 and "state" = 'retry'`,
    [queue, id],
  );
}
