import { Gauge, type Registry } from 'prom-client';
import type { Observed, Told } from './observed.js';

/** Tells how documents became answers. */
export function tellReads(
  { documents, services: { queries, readSource } }: Observed,
  gauge: Told,
  counter: Told,
): void {
  gauge(
    ['csp_graph_documents', 'csp_graph_known_documents'],
    'Documents that are not parsed and validated again.',
    () => documents.size,
  );
  gauge(
    ['csp_graph_documents_characters', 'csp_graph_known_documents_characters'],
    'Characters of these documents.',
    () => documents.characters,
  );
  counter(
    ['csp_graph_documents_hits_total', 'csp_graph_known_documents_hits_total'],
    'Requests over HTTP answered by the fast path.',
    () => documents.hits,
  );
  counter(
    ['csp_graph_documents_misses_total', 'csp_graph_known_documents_misses_total'],
    'Requests over HTTP that went through the pipeline.',
    () => documents.misses,
  );
  counter(
    ['csp_graph_documents_evictions_total', 'csp_graph_known_documents_evictions_total'],
    'Documents that had to go.',
    () => documents.evictions,
  );
  counter(
    'csp_graph_queries_compiled_total',
    'Queries over HTTP answered by compiled reads alone.',
    () => queries.compiled,
  );
  counter('csp_graph_queries_executed_total', 'Queries over HTTP executed field by field.', () => queries.executed);
  counter('csp_graph_plans_hits_total', 'Reads whose plan was there.', () => readSource.plans.hits);
  counter('csp_graph_plans_misses_total', 'Reads whose plan was compiled.', () => readSource.plans.misses);
}

/** Names that pools had before, told beside the new ones for one release. */
const formerPools: Record<string, string[]> = { interactive: ['front'], internal: ['own'] };

/** Tells of connections to the database. */
export function tellPools({ connections: { pools, replica } }: Observed, registry: Registry, gauge: Told): void {
  new Gauge({
    name: 'csp_graph_pool_connections',
    help: 'Connections of a pool that are busy or idle, and reads that wait for one.',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      for (const [name, { totalCount, idleCount, waitingCount }] of pools) {
        for (const pool of [name, ...(formerPools[name] ?? [])]) {
          this.set({ pool, state: 'busy' }, totalCount - idleCount);
          this.set({ pool, state: 'idle' }, idleCount);
          this.set({ pool, state: 'waiting' }, waitingCount);
        }
      }
    },
  });
  if (!replica) return;
  gauge(
    'csp_graph_replica_lag_seconds',
    'How far the replica is behind at most; +Inf: it is not there.',
    () => replica.lagMs / 1_000,
  );
}
