import { actorOf } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { JobState } from '../../domain/job-kind.js';
import { Problem } from '../../domain/problem.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { findJob, recordRetried } from './record-operator.js';

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
 * one more, and writes down who did so. Answers the order that it is about, JobNotFound or JobRunning.
 */
export async function retryJob(unit: UnitOfWork, jobs: JobQueue, id: string): Promise<{ orderId: string } | Problem> {
  const { em, viewer, correlationId } = unit;
  const job = await findJob(em, id);
  if (!job) return new JobNotFound();
  if (job.state === JobState.RUNNING || !(await jobs.retry(em, job))) return new JobRunning();
  recordRetried(em, job, { actor: actorOf(viewer), correlationId });
  return { orderId: job.order.id };
}
