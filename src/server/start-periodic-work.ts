import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { askClock, type Clock } from '../context/clock.js';
import type { Em } from '../database/orm.js';
import type { JobQueue } from '../jobs/job-queue.js';
import { type PeriodicWork, repeatForAll } from '../jobs/periodic-work.js';
import { closeDueMonths, MONTH_CLOSE_SECONDS } from '../modules/billing/close-due-months.js';
import { CLOSE_SECONDS, closeAttempts } from '../modules/entitlements/refused-attempts.js';
import { syncTurn } from '../modules/mirroring/sync-turn.js';
import { ROLL_UP_SECONDS, rollUpAllSales } from '../modules/sales/roll-up-sales.js';
import type { Lifecycle } from './lifecycle.js';
import type { Telling } from './start-provider.js';

/** What periodic work is done with. */
export interface StartPeriodicWorkOptions {
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;
  /** What reads outside of any transaction. */
  reads: () => Em;
  /** What tells of the partner's business upstream; null: nobody. */
  telling: Telling | null;
  jobs: JobQueue;
  config: Config;
  clock: Clock;
  log: Logger;
  lifecycle: Lifecycle;
}

/**
 * Begins what one process does for all, again and again. What a process does for itself is none of it and goes by its
 * own clock (`lib/repeat.ts`): heartbeats, leases and what it has in memory; nor is what has a leader of its own, the
 * relay and the seals, whose pace is a promise, nor files to scan, which have a table with leases of their own.
 */
export function startPeriodicWork(options: StartPeriodicWorkOptions): void {
  const { inTransaction, reads, telling, jobs, config, clock, log, lifecycle } = options;
  const all: PeriodicWork[] = [
    { queue: 'sales_roll_up', everySeconds: ROLL_UP_SECONDS, run: () => rollUpAllSales(inTransaction) },
    {
      queue: 'refused_attempts',
      everySeconds: CLOSE_SECONDS,
      run: () => inTransaction(async (em) => closeAttempts(em, await askClock(em, clock))),
    },
    {
      queue: 'month_close',
      everySeconds: MONTH_CLOSE_SECONDS,
      run: () => closeDueMonths(inTransaction, config.monthCloseDays),
    },
  ];
  const { partnerCenter } = config;
  let endEarly = () => {};
  if (telling && partnerCenter) {
    // Stopped in the middle it leaves the rest to the next turn.
    const stopping = new AbortController();
    const mirror = { upstream: telling.upstream, inTransaction, reads, clock, signal: stopping.signal };
    const { syncSeconds, crawlDays } = partnerCenter;
    // A turn may take as long as the pause before the next one: news is no older than both.
    const everySeconds = Math.ceil(syncSeconds / 2);
    const run = () => syncTurn(mirror, { everySeconds, crawlDays });
    all.push({ queue: 'upstream_sync', everySeconds, run });
    endEarly = () => stopping.abort();
  }
  for (const work of all) {
    const repeated = repeatForAll(work, { jobs, config: config.jobs, log });
    lifecycle.onClose('periodic work', () => repeated.stop());
  }
  lifecycle.onClose('reading of the upstream', () => endEarly());
}
