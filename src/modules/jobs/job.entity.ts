import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { JobKind, JobState } from '../../domain/job-kind.js';
import { Order } from '../orders/order.entity.js';

/** Work that waits for somebody: pg-boss' own table, in the words of the graph. Jobs that are done are not kept. */
export const Job = defineEntity({
  name: 'Job',
  tableName: 'jobs',
  view: true,
  // A migration makes the other view, out of pg-boss' own table: how PostgreSQL writes that one differs by its version.
  expression: 'select * from "pgboss"."jobs"',
  properties: {
    /** Id of the order or the cancellation that it is about. */
    id: p.uuid().primary(),
    kind: p.enum(Object.values(JobKind)),
    state: p.enum(Object.values(JobState)),
    order: p.manyToOne(Order),
    attempts: p.integer(),
    maximumAttempts: p.integer(),
    enqueuedAt: p.datetime(3),
    nextAttemptAt: p.datetime(3).nullable(),
    startedAt: p.datetime(3).nullable(),
    failedAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
  },
});
export type Job = InferEntity<typeof Job>;
