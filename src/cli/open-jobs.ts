import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { embeddedOf, poolOf } from '../database/execute.js';
import { type Em, openOrm } from '../database/orm.js';
import { isProblem, type Problem } from '../domain/problem.js';
import type { JobHandlers } from '../jobs/job.js';
import { JobQueue } from '../jobs/job-queue.js';
import { cancellationJobs } from '../modules/cancelling/fulfil-cancellation.js';
import { localProvider } from '../modules/fulfilling/provider.js';
import { giveUpJob } from '../modules/jobs/give-up-job.js';
import type { Operator } from '../modules/jobs/record-operator.js';
import { retryJob } from '../modules/jobs/retry-job.js';
import { purchaseJobs } from '../modules/purchasing/fulfil-purchase.js';
import { entities } from '../schema/entities.js';
import { operatorOf } from './operator.js';

/** The jobs of a database, for an operator at a terminal: nothing is attempted here. */
export interface OpenedJobs {
  /** Those that wait longest first. @param state only those in it */
  list(state: string | undefined): Promise<Record<string, unknown>[]>;
  /** Has a job begin at once, by whichever gateway. Answers why not; null: it does. */
  retry(id: string): Promise<Problem | null>;
  /** Ends a job as refused. Answers why not; null: it is ended. */
  giveUp(given: { id: string; reason: string; isNotDone: boolean }): Promise<Problem | null>;
  close(): Promise<void>;
}

/** Opens the jobs of a database. @throws where its tables are of another version */
export async function openJobs(config: Config, log: Logger): Promise<OpenedJobs> {
  const orm = await openOrm(config.database, { entities });
  const inTransaction = <Result>(work: (em: Em) => Promise<Result>) => orm.em.fork().transactional(work);
  const fulfilment = { reads: () => orm.em.fork(), provider: localProvider(0), clock: (database: Date) => database };
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
  const act = async (work: (em: Em) => Promise<object>) => {
    const result = await inTransaction(work);
    return isProblem(result) ? result : null;
  };
  const operator = (): Operator => ({ actor: operatorOf('npm run jobs'), correlationId: randomUUID() });
  return {
    list: (state) =>
      orm.em.fork().execute(
        `select "jobs"."id", "kind", "state", "orders"."number" as "order", "attempts", "maximum_attempts" as "maximumAttempts",
            "enqueued_at" as "enqueuedAt", "next_attempt_at" as "nextAttemptAt", "failed_at" as "failedAt", "last_error" as "lastError"
          from "jobs" join "orders" on "orders"."id" = "jobs"."order_id"
          where ?::text is null or "state" = ? order by "enqueued_at", "jobs"."id"`,
        [state ?? null, state ?? null],
      ),
    retry: (id) => act((em) => retryJob(em, queue, id, operator())),
    giveUp: (given) => act((em) => giveUpJob(em, queue, given, operator())),
    close: async () => {
      await queue.close();
      await close();
    },
  };
}
