import type { Db } from 'pg-boss';

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
  (select "priority" - 1 from "pgboss"."job" where "name" = $1 and "singleton_key" = $2 and "state" < 'active'
    order by "created_on" desc limit 1))`;

/** The priority of a job that is enqueued now. @param asker their key */
export async function priorityOf(db: Db, queue: string, asker: string): Promise<number> {
  const { rows } = await db.executeSql(`select ${PRIORITY} as "priority"`, [queue, asker]);
  return rows[0].priority;
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
