import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { PeriodicWorkKind } from '../../domain/job-kind.js';

/** Work that comes again by itself: what pg-boss' table says of its turns, since the last one that succeeded. */
export const PeriodicWork = defineEntity({
  name: 'PeriodicWork',
  tableName: 'periodic_work',
  view: true,
  // As of jobs: the migration makes the other view.
  expression: 'select * from "pgboss"."periodic_work"',
  properties: {
    kind: p.enum(Object.values(PeriodicWorkKind)).primary(),
    /** Attempts that have failed since it was last done. */
    failures: p.integer(),
    succeededAt: p.datetime(3).nullable(),
    failedAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
  },
});
export type PeriodicWork = InferEntity<typeof PeriodicWork>;
