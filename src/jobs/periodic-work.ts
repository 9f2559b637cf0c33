import type { Logger } from 'pino';
import type { JobsConfig } from '../config/jobs-config.js';
import type { PeriodicWorkKind } from '../domain/job-kind.js';
import { type Repeated, repeat } from '../lib/repeat.js';
import { withinTime } from '../lib/time-limit.js';
import type { JobQueue } from './job-queue.js';

/** Work that comes again by itself, and that one process does for all of the database. */
export interface PeriodicWork {
  /** The queue of pg-boss for it, which a migration has made. */
  queue: Lowercase<PeriodicWorkKind>;
  everySeconds: number;
  /** Does what is due by now: what one turn leaves out, the next one does. */
  run(): Promise<void>;
}

/** What it is done with. */
export interface PeriodicWorkOptions {
  jobs: JobQueue;
  config: JobsConfig;
  log: Logger;
}

/**
 * Has work done once in each span of time, by whichever process comes first: it is a job of its own queue, claimed,
 * within a time limit, and begun anew by another process where its own one has died or failed.
 */
export function repeatForAll(work: PeriodicWork, { jobs, config, log }: PeriodicWorkOptions): Repeated {
  const { queue, everySeconds } = work;
  const turn = async () => {
    const claim = await jobs.claimTurn(queue, everySeconds);
    if (!claim) return;
    try {
      await withinTime(work.run(), config.timeLimitMs, queue);
      await jobs.endTurn(queue, claim);
    } catch (error) {
      await jobs.failTurn(queue, claim, (error as Error).message);
      throw error;
    }
  };
  return repeat(everySeconds * 1_000, `the work of ${queue}`, turn, log);
}
