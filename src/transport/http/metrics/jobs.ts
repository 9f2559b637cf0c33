import { Gauge, type Registry } from 'prom-client';
import { JobKind, JobState } from '../../../domain/job-kind.js';
import { countJobs, lookAtPeriodicWork } from '../../../jobs/job-counts.js';
import type { Observed, Told } from './observed.js';

/** Tells what waits for the provider. Answers how the figures are brought up to date, which are the database's. */
export function tellJobs({ services, worker }: Observed, registry: Registry, gauge: Told): () => Promise<void> {
  const labelNames = ['kind', 'state'];
  const counts = new Gauge({
    name: 'csp_graph_jobs',
    help: 'Jobs that wait for the provider, by kind and state; FAILED: for an operator.',
    labelNames,
    registers: [registry],
  });
  const ages = new Gauge({
    name: 'csp_graph_jobs_oldest_seconds',
    help: 'Seconds since the oldest job was enqueued, by kind and state.',
    labelNames,
    registers: [registry],
  });
  const failures = new Gauge({
    name: 'csp_graph_periodic_work_failures',
    help: 'Attempts at work that comes again by itself that have failed since it was last done, by kind.',
    labelNames: ['kind'],
    registers: [registry],
  });
  const done = new Gauge({
    name: 'csp_graph_periodic_work_done_seconds',
    help: 'Seconds since work that comes again by itself was last done, by kind; -1 before the first time.',
    labelNames: ['kind'],
    registers: [registry],
  });
  gauge(
    'csp_graph_jobs_silent_seconds',
    'Seconds since this gateway last looked for jobs.',
    () => worker.silentMs / 1_000,
  );
  return async () => {
    // Out of reach: what was told last is told again.
    const found = await countJobs(services.kysely).catch(() => null);
    if (!found) return;
    for (const kind of Object.values(JobKind))
      for (const state of Object.values(JobState)) {
        const one = found.find((count) => count.kind === kind && count.state === state);
        counts.set({ kind, state }, one?.count ?? 0);
        ages.set({ kind, state }, one?.oldestSeconds ?? 0);
      }
    for (const { kind, failures: failed, doneSeconds } of await lookAtPeriodicWork(services.kysely).catch(() => [])) {
      failures.set({ kind }, failed);
      done.set({ kind }, doneSeconds ?? -1);
    }
  };
}
