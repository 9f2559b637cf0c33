import type { Em } from '../../database/orm.js';
import type { Problem } from '../../domain/problem.js';
import type { JobQueue } from '../../jobs/job-queue.js';
import { findJob, type Operator, recordGivenUp } from './record-operator.js';
import { JobNotFound, problemOf } from './retry-job.js';

/**
 * Ends a job without an answer, as if the provider had refused for that reason: the order, or the cancellation, is
 * REFUSED. Writes down who did so. What may have been done upstream is not ended so, unless the operator has looked: an
 * order that was bought there would be lost here.
 * Answers the order that it is about, JobNotFound, JobRunning or JobMayBeDone.
 */
export async function giveUpJob(
  em: Em,
  jobs: JobQueue,
  { id, reason, isNotDone }: { id: string; reason: string; isNotDone: boolean },
  operator: Operator,
): Promise<{ orderId: string } | Problem> {
  const job = await findJob(em, id);
  if (!job) return new JobNotFound();
  const orderId = job.order.id;
  const given = { id: job.id, kind: job.kind, data: { orderId } };
  const hindrance = await jobs.giveUp(em, given, { reason, isNotDone, actor: operator.actor });
  if (hindrance) return problemOf(hindrance);
  recordGivenUp(em, job, operator, { reason, isNotDone });
  return { orderId };
}
