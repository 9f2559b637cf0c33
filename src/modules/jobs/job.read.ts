import { among, globalId } from '../../read/fields.js';
import { one, properties, type ReadType, type RootReads } from '../../read/model.js';
import type { Param } from '../../read/param.js';

/** How a Job is read. */
export const jobRead: ReadType = {
  name: 'Job',
  entity: 'Job',
  fields: {
    id: globalId('Job'),
    ...properties('kind', 'state', 'attempts', 'maximumAttempts', 'lastError'),
    ...properties('enqueuedAt', 'nextAttemptAt', 'startedAt', 'failedAt'),
    order: one('Order', 'order'),
  },
  listing: {
    filters: {
      kinds: (job, kinds: Param<string[]>) => among(job.col('kind'), kinds),
      states: (job, states: Param<string[]>) => among(job.col('state'), states),
    },
    orders: {
      ENQUEUED_AT: [
        { property: 'enqueuedAt', type: 'timestamptz' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'ENQUEUED_AT', direction: 'ASC' },
  },
};

/** How PeriodicWork is read. */
export const periodicWorkRead: ReadType = {
  name: 'PeriodicWork',
  entity: 'PeriodicWork',
  fields: properties('kind', 'failures', 'succeededAt', 'failedAt', 'lastError'),
};

/** Root fields of jobs. */
export const jobRoots: RootReads = {
  jobs: { kind: 'connection', type: 'Job' },
  periodicWork: { kind: 'list', type: 'PeriodicWork', where: () => [], orderBy: (work) => [work.col('kind')] },
};
