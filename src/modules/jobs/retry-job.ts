import type { Em } from '../../database/orm.js';
import { Problem } from '../../domain/problem.js';
import type { Hindrance, JobQueue } from '../../jobs/job-queue.js';
import { findJob, type Operator, recordRetried } from './record-operator.js';

/** There is no such job: it is done, or was given up. */
export class JobNotFound extends Problem {
  readonly code = 'JOB_NOT_FOUND';
  readonly message = 'There is no such job; perhaps it is done. List those that wait with jobs.';
}

/** An attempt at the job runs just now. */
export class JobRunning extends Problem {
  readonly code = 'JOB_RUNNING';
  readonly message = 'The job is being attempted just now. Look again when its attempt is over.';
}

/** What keeps an operator from acting on a job, as a problem. */
export const problemOf = (hindrance: Hindrance): Problem =>
  hindrance === 'RUNNING' ? new JobRunning() : new JobNotFound();

/**
 * Begins a job at once that waits for its time, its next attempt or an operator; one that has had its last attempt gets
 * one more, and writes down who did so. Answers the order that it is about, JobNotFound or JobRunning.
 */
export async function retryJob(
  em: Em,
  jobs: JobQueue,
  id: string,
  operator: Operator,
): Promise<{ orderId: string } | Problem> {
  const job = await findJob(em, id);
  if (!job) return new JobNotFound();
  const hindrance = await jobs.retry(em, job);
  if (hindrance) return problemOf(hindrance);
  recordRetried(em, job, operator);
  return { orderId: job.order.id };
}
