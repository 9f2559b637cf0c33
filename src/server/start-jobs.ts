import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Clock } from '../context/clock.js';
import type { Services } from '../context/context.js';
import { inOwnTransaction } from '../context/transaction.js';
import { embeddedOf } from '../database/execute.js';
import type { Em, Orm } from '../database/orm.js';
import type { Connections } from '../database/pools.js';
import type { BossConnection } from '../jobs/boss-database.js';
import type { JobHandlers } from '../jobs/job.js';
import { JobQueue } from '../jobs/job-queue.js';
import { JobWorker } from '../jobs/job-worker.js';
import { adoptCancellations, cancellationJobs } from '../modules/cancelling/fulfil-cancellation.js';
import type { FulfilmentProvider } from '../modules/fulfilling/provider.js';
import { adoptPurchases, purchaseJobs } from '../modules/purchasing/fulfil-purchase.js';
import type { Lifecycle } from './lifecycle.js';

/** What jobs are done with. */
export interface StartJobsOptions {
  config: Config;
  orm: Orm;
  connections: Connections;
  feed: Services['feed'];
  provider: FulfilmentProvider;
  clock: Clock;
  log: Logger;
  lifecycle: Lifecycle;
}

/** The jobs of a process: enqueued from now on, and done once it serves. */
export interface RunningJobs {
  jobs: JobQueue;
  worker: JobWorker;
  /** Begins to do them. */
  begin(): Promise<void>;
}

/** Opens the queue of jobs, with how each kind is done. */
export async function startJobs(options: StartJobsOptions): Promise<RunningJobs> {
  const { config, orm, connections, feed, provider, clock, log, lifecycle } = options;
  const inTransaction = <Result>(work: (em: Em) => Promise<Result>) => inOwnTransaction({ orm, feed, jobs }, work);
  const reads = () => orm.em.fork();
  const handlers: JobHandlers = {
    PURCHASE: purchaseJobs({ reads, provider, clock }),
    CANCELLATION: cancellationJobs({ reads, provider, clock }),
  };
  const jobs: JobQueue = new JobQueue({
    connection: await bossConnection(orm, connections),
    config: config.jobs,
    handlers,
    log,
  });
  lifecycle.onClose('the queue of jobs', () => jobs.close());
  await jobs.open();
  const isAlone = config.database.kind === 'embedded';
  const worker = new JobWorker({ queue: jobs, handlers, config: config.jobs, isAlone, inTransaction, log });
  lifecycle.onClose('the worker of jobs', () => worker.stop());
  const begin = async () => {
    await inTransaction(async (em) => {
      await adoptPurchases(em, jobs, config.purchaseDelayMs);
      await adoptCancellations(em, jobs);
    });
    await worker.start();
  };
  return { jobs, worker, begin };
}

/** What pg-boss' own statements run on: the gateway's own connections, or the only one. */
export async function bossConnection(orm: Orm, { internalPool }: Connections): Promise<BossConnection> {
  return internalPool
    ? { kind: 'pool', pool: internalPool as never }
    : { kind: 'embedded', pglite: await embeddedOf(orm) };
}
