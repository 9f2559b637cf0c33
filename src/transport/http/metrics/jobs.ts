import { Gauge, type Registry } from 'prom-client';
import { JobKind, JobState } from '../../../domain/job-kind.js';
import { countJobs } from '../../../jobs/job-counts.js';
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
  };
}
