import type { UnitOfWork } from '../../context/transaction.js';
import { JobState } from '../../domain/job-kind.js';
import { Problem } from '../../domain/problem.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { Job } from './job.entity.js';

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

/**
 * Begins a job at once that waits for its time, its next attempt or an operator; one that has had its last attempt gets
 * one more. Answers the order that it is about, JobNotFound or JobRunning.
 */
export async function retryJob({ em }: UnitOfWork, jobs: JobQueue, id: string): Promise<{ orderId: string } | Problem> {
  const job = await em.findOne(Job, { id });
  if (!job) return new JobNotFound();
  if (job.state === JobState.RUNNING || !(await jobs.retry(em, job))) return new JobRunning();
  return { orderId: job.order.id };
}
