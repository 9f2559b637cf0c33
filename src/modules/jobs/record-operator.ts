import { type Activity, type Actor, recordActivity } from '../../activity-log/record-activity.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { Job } from './job.entity.js';

/** A job that an operator acts on, with its order; null where there is none. */
export const findJob = (em: Em, id: string) => em.findOne(Job, { id }, { populate: ['order'] });
export type FoundJob = NonNullable<Awaited<ReturnType<typeof findJob>>>;

/** Who acts on a job, and by which cause. */
export interface Operator {
  actor: Actor;
  correlationId: string;
}

/** Writes down that an operator had a job begin at once. */
export function recordRetried(em: Em, job: FoundJob, operator: Operator): void {
  recordActivity(em, { action: 'JOB_RETRIED', ...common(job, operator), detail: detailOf(job) });
}

/** Writes down that an operator gave a job up. */
export function recordGivenUp(
  em: Em,
  job: FoundJob,
  operator: Operator,
  given: { reason: string; isNotDone: boolean },
): void {
  recordActivity(em, { action: 'JOB_GIVEN_UP', ...common(job, operator), detail: { ...detailOf(job), ...given } });
}

const common = ({ order }: FoundJob, { actor, correlationId }: Operator) =>
  ({
    outcome: 'SUCCEEDED',
    actor,
    customerId: order.customer.id,
    orderId: order.id,
    resource: { type: 'ORDER', id: toGlobalId('Order', order.id), label: order.number },
    correlationId,
  }) satisfies Partial<Activity>;

const detailOf = ({ id, kind, attempts, order }: FoundJob) => ({
  jobId: toGlobalId('Job', id),
  jobKind: kind,
  orderNumber: order.number,
  attempts,
});
