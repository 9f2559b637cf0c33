import type { Em } from '../../database/orm.js';
import type { Problem } from '../../domain/problem.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { findJob, type Operator, recordGivenUp } from './record-operator.js';
import { JobNotFound, problemOf } from './retry-job.js';

/**
 * Ends a job without an answer, as if the provider had refused for that reason: the order, or the cancellation, is
 * REFUSED. Writes down who did so.
 * Answers the order that it is about, JobNotFound or JobRunning.
 */
export async function giveUpJob(
  em: Em,
  jobs: JobQueue,
  input: { id: string; reason: string },
  operator: Operator,
): Promise<{ orderId: string } | Problem> {
  const job = await findJob(em, input.id);
  if (!job) return new JobNotFound();
  const orderId = job.order.id;
  const given = { id: job.id, kind: job.kind, data: { orderId } };
  const hindrance = await jobs.giveUp(em, given, { reason: input.reason, actor: operator.actor });
  if (hindrance) return problemOf(hindrance);
  recordGivenUp(em, job, operator, input.reason);
  return { orderId };
}
