import type { Actor } from '../activity-log/record-activity.js';
import type { Em } from '../database/orm.js';
import type { JobKind } from '../domain/job-kind.js';

/** What a job is about, as its queue keeps it: ids only, never anything secret. */
export interface JobData {
  /** Id of the row of the order that it is about. */
  orderId: string;
}

/** Work that waits for somebody. */
export interface Job {
  /** The same through every attempt, and after an operator has begun it anew: whoever is asked knows it by this. */
  id: string;
  kind: JobKind;
  data: JobData;
}

/** A job to be done for somebody: those of many are done in turn. */
export interface AskedJob extends Job {
  /** Key of the identity that asked for it; null where that is not known. */
  askedBy: string | null;
}

/** Writes down how a job has ended, in the transaction that removes it: both are committed or neither. */
export type Settle = (em: Em) => Promise<void>;

/** How jobs of a kind are done. */
export interface JobHandler {
  /**
   * One attempt, outside of any transaction. An attempt that fails, or is not over in time, is made again later.
   * @param signal set when nobody waits for it any more: its time is over, or the process stops
   */
  attempt(job: Job, signal: AbortSignal): Promise<Settle>;
  /** How a job ends that an operator gives up. Answers what keeps it from that; null: it is ended. */
  giveUp(job: Job, by: GivenUp): (em: Em) => Promise<Hindrance | null>;
}

/** How jobs are done, by kind. */
export type JobHandlers = Record<JobKind, JobHandler>;

/**
 * What keeps an operator from acting on a job: it is being attempted just now, is there no more, has been done, or may
 * have been.
 */
export type Hindrance = 'RUNNING' | 'GONE' | 'DONE' | 'UNKNOWN';

/** Who gave a job up, and why. */
export interface GivenUp {
  /** Whether the operator has looked: what got no answer has not been done. */
  isNotDone: boolean;
  /** In words for those who wait. */
  reason: string;
  /** Who acts; null: whoever asked for it stands for it, as in everything that fulfilment does. */
  actor: Actor | null;
}

/** The queue of pg-boss for a kind, which a migration has made. */
export const queueOf = (kind: JobKind) => kind.toLowerCase();
