import { Gauge, type Registry } from 'prom-client';
import { JobKind } from '../../../domain/job-kind.js';
import { IntentState } from '../../../modules/fulfilling/intent.entity.js';
import { countIntents, readSyncs } from '../../../modules/mirroring/upstream-status.js';
import type { Observed } from './observed.js';

/** Tells how the upstream fares, where there is one. Answers how the figures are brought up to date. */
export function tellUpstream({ services }: Observed, registry: Registry): () => Promise<void> {
  const { upstream, kysely } = services;
  if (!upstream) return async () => undefined;
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const lag = gauge(
    'csp_graph_upstream_lag_seconds',
    'Seconds that what is here of the upstream may be old, by kind; -1: never read.',
    ['kind'],
  );
  const failures = gauge(
    'csp_graph_upstream_sync_failures',
    'Readings of the upstream that failed since one succeeded, by kind.',
    ['kind'],
  );
  const broken = gauge('csp_graph_upstream_broken', '1 where a kind of reading counts as broken, else 0.', ['kind']);
  const used = gauge('csp_graph_upstream_calls_used', 'Calls of this minute, of all gateways.');
  const most = gauge('csp_graph_upstream_calls_per_minute', 'Calls that all gateways may make in a minute.');
  const due = gauge(
    'csp_graph_upstream_sign_in_due_seconds',
    'Seconds until somebody has to sign in again; -1 where nobody is signed in.',
  );
  const intents = gauge('csp_graph_upstream_intents', 'What the upstream is asked to do, by kind and state.', [
    'kind',
    'state',
  ]);
  const oldest = gauge('csp_graph_upstream_intents_oldest_seconds', 'Seconds since the oldest of them was asked for.', [
    'kind',
    'state',
  ]);
  return async () => {
    most.set(upstream.callsPerMinute);
    // Out of reach: what was told last is told again.
    const syncs = await readSyncs(kysely).catch(() => []);
    for (const { kind, lagSeconds, failures: failed, brokenSince } of syncs) {
      lag.set({ kind }, lagSeconds ?? -1);
      failures.set({ kind }, failed);
      broken.set({ kind }, brokenSince ? 1 : 0);
    }
    const counts = await countIntents(kysely).catch(() => null);
    if (counts)
      for (const kind of Object.values(JobKind))
        for (const state of Object.values(IntentState)) {
          const one = counts.find((count) => count.kind === kind && count.state === state);
          intents.set({ kind, state }, one?.count ?? 0);
          oldest.set({ kind, state }, one?.oldestSeconds ?? 0);
        }
    const dueAt = await upstream.signInDueAt().catch(() => undefined);
    if (dueAt !== undefined) due.set(dueAt ? (dueAt.getTime() - Date.now()) / 1_000 : -1);
    const calls = await upstream.callsUsed().catch(() => null);
    if (calls !== null) used.set(calls);
  };
}
