/** Kinds of jobs: what somebody is asked for. Each is a queue of its own. */
export const JobKind = { PURCHASE: 'PURCHASE', CANCELLATION: 'CANCELLATION' } as const;
export type JobKind = (typeof JobKind)[keyof typeof JobKind];

/** Where a job is: it waits for its time, is attempted, waits for its next attempt, or for an operator. */
export const JobState = { WAITING: 'WAITING', RUNNING: 'RUNNING', RETRYING: 'RETRYING', FAILED: 'FAILED' } as const;
export type JobState = (typeof JobState)[keyof typeof JobState];

/** Work that comes again by itself, and that one process does for all of the database. */
export const PeriodicWorkKind = {
  SALES_ROLL_UP: 'SALES_ROLL_UP',
  REFUSED_ATTEMPTS: 'REFUSED_ATTEMPTS',
  MONTH_CLOSE: 'MONTH_CLOSE',
  UPSTREAM_SYNC: 'UPSTREAM_SYNC',
} as const;
export type PeriodicWorkKind = (typeof PeriodicWorkKind)[keyof typeof PeriodicWorkKind];
