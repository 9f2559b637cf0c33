import { Counter, type Registry } from 'prom-client';
import type { KeySetState } from '../../../auth/key-sets.js';
import type { Observed, Told } from './observed.js';

/** Tells of open connections. */
export function tellTransport({ sockets, streams }: Observed, gauge: Told, counter: Told): void {
  gauge('csp_graph_sockets', 'Open WebSockets.', () => sockets.count);
  gauge('csp_graph_sockets_backlog_bytes', 'Bytes that wait for WebSockets.', () => sockets.backlog);
  const delayed =
    'Frames of WebSockets that waited for their turn since the start: their caller sends too many at once.';
  counter('csp_graph_sockets_delayed_frames_total', delayed, () => sockets.delayed);
  gauge('csp_graph_event_streams', 'Open event streams.', () => streams.count);
  gauge('csp_graph_event_streams_backlog_bytes', 'Bytes that wait for event streams.', () => streams.backlog);
}

/** Tells what was refused beyond a bound. */
export function tellRefusals({ services: { refusals } }: Observed, registry: Registry): void {
  new Counter({
    name: 'csp_graph_refusals_total',
    help: 'What was refused since the start because it was beyond a bound, by the bound.',
    labelNames: ['bound'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [bound, count] of refusals.counts) this.inc({ bound }, count);
    },
  });
}

/** Tells what users have spent. */
export function tellCosts({ services: { costs } }: Observed, registry: Registry): void {
  new Counter({
    name: 'csp_graph_cost_points_total',
    help: 'Points that operations and streams have cost since the start, by the first role of who asked.',
    labelNames: ['role'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [role, spent] of costs.spent) this.inc({ role }, spent);
    },
  });
}

/** Tells how fresh the key sets of the identity provider are. */
export function tellKeySets({ keySets }: Observed, gauge: Told): void {
  const worst = (read: (state: KeySetState) => number) => Math.max(0, ...keySets.states.map(read));
  gauge(
    'csp_graph_key_set_age_seconds',
    'Seconds since the key set of the identity provider was fetched, the oldest where there are several; +Inf: never.',
    () => worst(({ ageSeconds }) => ageSeconds),
  );
  gauge(
    'csp_graph_key_set_failures',
    'Times in a row that fetching it has failed; 0: the provider is in reach, or was not asked.',
    () => worst(({ failures }) => failures),
  );
}
