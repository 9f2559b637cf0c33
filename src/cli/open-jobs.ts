import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { embeddedOf, poolOf } from '../database/execute.js';
import { openOrm } from '../database/orm.js';
import { type Job, type JobHandlers } from '../jobs/job.js';
import { JobQueue } from '../jobs/job-queue.js';
import { cancellationJobs } from '../modules/cancelling/fulfil-cancellation.js';
import { localProvider } from '../modules/fulfilling/provider.js';
import { Job as JobRow } from '../modules/jobs/job.entity.js';
import { purchaseJobs } from '../modules/purchasing/fulfil-purchase.js';
import { entities } from '../schema/entities.js';

/** The jobs of a database, for an operator at a terminal: nothing is attempted here. */
export interface OpenedJobs {
  /** Those that wait longest first. @param state only those in it */
  list(state: string | undefined): Promise<Record<string, unknown>[]>;
  /** Has a job begin at once, by whichever gateway. Answers whether there was one to begin. */
  retry(id: string): Promise<boolean>;
  /** Ends a job as refused. Answers whether there was one to end. */
  giveUp(id: string, reason: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the jobs of a database. @throws where its tables are of another version */
export async function openJobs(config: Config, log: Logger): Promise<OpenedJobs> {
  const orm = await openOrm(config.database, { entities });
  const inTransaction: Parameters<typeof cancellationJobs>[0]['inTransaction'] = (work) =>
    orm.em.fork().transactional(work);
  const fulfilment = { inTransaction, provider: localProvider(0), clock: (database: Date) => database };
  const handlers: JobHandlers = { PURCHASE: purchaseJobs(fulfilment), CANCELLATION: cancellationJobs(fulfilment) };
  const queue = new JobQueue({
    connection:
      config.database.kind === 'embedded'
        ? { kind: 'embedded', pglite: await embeddedOf(orm) }
        : { kind: 'pool', pool: (await poolOf(orm)) as never },
    config: config.jobs,
    handlers,
    log,
  });
  const close = () => orm.close(true);
  try {
    await orm.em.fork().execute('select from "jobs" limit 0');
    await queue.open();
  } catch (error) {
    await close();
    throw error;
  }
  const withJob = (id: string, act: (job: Job, em: Parameters<JobQueue['retry']>[0]) => Promise<boolean>) =>
    inTransaction(async (em) => {
      const row = await em.findOne(JobRow, { id });
      return row ? act({ id, kind: row.kind, data: { orderId: row.order.id } }, em) : false;
    });
  return {
    list: (state) =>
      orm.em.fork().execute(
        `select "jobs"."id", "kind", "state", "orders"."number" as "order", "attempts", "maximum_attempts" as "maximumAttempts",
            "enqueued_at" as "enqueuedAt", "next_attempt_at" as "nextAttemptAt", "failed_at" as "failedAt", "last_error" as "lastError"
          from "jobs" join "orders" on "orders"."id" = "jobs"."order_id"
          where ?::text is null or "state" = ? order by "enqueued_at", "jobs"."id"`,
        [state ?? null, state ?? null],
      ),
    retry: (id) => withJob(id, (job, em) => queue.retry(em, job)),
    giveUp: (id, reason) => withJob(id, (job, em) => queue.giveUp(em, job, { reason, actor: null })),
    close: async () => {
      await queue.close();
      await close();
    },
  };
}
