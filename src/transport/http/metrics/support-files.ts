import { Gauge, type Registry } from 'prom-client';
import { countUnscanned } from '../../../modules/support/scan/count-unscanned.js';
import type { Observed } from './observed.js';

/** Metrics of files that wait for the scanner, where there is one. @returns how to bring them up to date: it asks the database */
export function tellSupportFiles({ services: { kysely, config } }: Observed, registry: Registry): () => Promise<void> {
  if (config.fileScan === null) return async () => undefined;
  const waiting = new Gauge({
    name: 'csp_graph_support_files_unscanned',
    help: 'Files of support requests that the scanner has not judged: nobody downloads them until then.',
    registers: [registry],
  });
  const age = new Gauge({
    name: 'csp_graph_support_files_unscanned_age_seconds',
    help: 'For how long the oldest of them has been waiting; 0: none waits.',
    registers: [registry],
  });
  return async () => {
    // Where the database does not answer, the rest is still told.
    const counted = await countUnscanned(kysely).catch(() => null);
    waiting.set(counted?.count ?? NaN);
    age.set(counted?.oldestSeconds ?? NaN);
  };
}
