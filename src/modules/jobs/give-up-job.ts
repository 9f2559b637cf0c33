import { actorOf } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import type { Problem } from '../../domain/problem.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { findJob, recordGivenUp } from './record-operator.js';
import { JobNotFound, JobRunning } from './retry-job.js';

/**
 * Ends a job without an answer, as if the provider had refused for that reason: the order, or the cancellation, is
 * REFUSED. Writes down who did so.
 * Answers the order that it is about, JobNotFound or JobRunning.
 */
export async function giveUpJob(
  { em, viewer, correlationId }: UnitOfWork,
  jobs: JobQueue,
  input: { id: string; reason: string },
): Promise<{ orderId: string } | Problem> {
  const job = await findJob(em, input.id);
  if (!job) return new JobNotFound();
  const orderId = job.order.id;
  const given = { id: job.id, kind: job.kind, data: { orderId } };
  const actor = actorOf(viewer);
  if (!(await jobs.giveUp(em, given, { reason: input.reason, actor }))) return new JobRunning();
  recordGivenUp(em, job, { actor, correlationId }, input.reason);
  return { orderId };
}
