import type { Em } from '../../database/orm.js';
import { Problem } from '../../domain/problem.js';
import type { Hindrance } from '../../jobs/job.js';
import type { JobQueue } from '../../jobs/job-queue.js';
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

/** What the job is about was done upstream, or may have been. */
export class JobMayBeDone extends Problem {
  readonly code = 'JOB_MAY_BE_DONE';
  readonly message: string;
  constructor(readonly isDone: boolean) {
    super();
    this.message = isDone
      ? 'Partner Center has done this already. Its next attempt, which retryJob begins, writes that down.'
      : 'Partner Center may have done this: an attempt got no answer. Each attempt finds out more, and retryJob begins one. Where you have looked in Partner Center and it is not done, give it up with notDone.';
  }
}

/** What keeps an operator from acting on a job, as a problem. */
export function problemOf(hindrance: Hindrance): Problem {
  if (hindrance === 'RUNNING') return new JobRunning();
  return hindrance === 'GONE' ? new JobNotFound() : new JobMayBeDone(hindrance === 'DONE');
}

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
