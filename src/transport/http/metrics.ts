import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { HorizonWatch } from '../../activity-log/horizon.js';
import type { Sealer } from '../../activity-log/seal/sealer.js';
import type { KeySetState, KeySets } from '../../auth/key-sets.js';
import type { Services } from '../../context/context.js';
import type { Connections } from '../../database/pools.js';
import type { DocumentCache } from '../../execution/documents.js';
import type { FanOut } from '../../feed/delivery/fan-out.js';
import type { NatsSource } from '../../feed/nats/nats-source.js';

/** The connections of a transport. */
export interface OpenConnections {
  readonly count: number;
  /** Bytes that wait for all of them. */
  readonly backlog: number;
}

/** What the metrics tell of. */
export interface Observed {
  services: Services;
  sockets: OpenConnections;
  streams: OpenConnections;
  fanOut: FanOut;
  horizon: HorizonWatch;
  keySets: KeySets;
  nats: NatsSource | null;
  sealer: Sealer;
  documents: DocumentCache;
  connections: Connections;
}

/** A metric that is read when it is asked for. The first name is its own; others it had before, kept for one release. */
type Told = (names: string | [string, ...string[]], help: string, read: () => number) => void;

/** The metrics of a gateway, in the form of Prometheus. */
export interface Metrics {
  contentType: string;
  /** All of them as they are now. */
  text(): Promise<string>;
}

/** The metrics of a gateway. */
export function createMetrics(observed: Observed): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const telling =
    (tell: (name: string, help: string, read: () => number) => void): Told =>
    (names, help, read) => {
      const [name, ...former] = [names].flat() as [string, ...string[]];
      tell(name, help, read);
      for (const old of former) tell(old, `${help} Now ${name}; this name goes with the next release.`, read);
    };
  const gauge = telling(
    (name, help, read) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      }),
  );
  const counter = telling(
    (name, help, read) =>
      new Counter({
        name,
        help,
        registers: [registry],
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
  );
  tellTransport(observed, gauge);
  tellRefusals(observed, registry);
  tellKeySets(observed, gauge);
  tellFeed(observed, gauge);
  tellReads(observed, gauge, counter);
  tellPools(observed, registry, gauge);
  const refreshSeals = tellSeals(observed, registry);
  if (observed.nats) tellNats(observed.nats, gauge);
  return {
    contentType: registry.contentType,
    text: async () => {
      await refreshSeals();
      return registry.metrics();
    },
  };
}

function tellTransport({ sockets, streams }: Observed, gauge: Told): void {
  gauge('csp_graph_sockets', 'Open WebSockets.', () => sockets.count);
  gauge('csp_graph_sockets_backlog_bytes', 'Bytes that wait for WebSockets.', () => sockets.backlog);
  gauge('csp_graph_event_streams', 'Open event streams.', () => streams.count);
  gauge('csp_graph_event_streams_backlog_bytes', 'Bytes that wait for event streams.', () => streams.backlog);
}

function tellRefusals({ services: { refusals } }: Observed, registry: Registry): void {
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

function tellKeySets({ keySets }: Observed, gauge: Told): void {
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

function tellFeed({ services: { feed }, fanOut, horizon }: Observed, gauge: Told): void {
  gauge(
    'csp_graph_feed_subscribers',
    'Subscribers of the feed, over WebSocket and event streams.',
    () => fanOut.counts.subscribers,
  );
  gauge(
    'csp_graph_feed_subscribers_catching_up',
    'Those of them that read the log at their own pace: they have just come, or their connection is slow.',
    () => fanOut.counts.catchingUp,
  );
  gauge(
    ['csp_graph_feed_shared_subscriptions', 'csp_graph_feed_groups'],
    'Subscriptions that subscribers share: those of one get the same texts.',
    () => fanOut.counts.sharedSubscriptions,
  );
  gauge('csp_graph_feed_delivered', 'Entries delivered to live subscribers since the start.', () => fanOut.delivered);
  gauge('csp_graph_feed_waiters', 'Shared subscriptions that wait for the next entry.', () => feed.waiters);
  gauge(
    'csp_graph_feed_horizon_held_seconds',
    'Age of the oldest transaction that may still write: the feed waits for it. The log names it.',
    () => horizon.heldSeconds,
  );
  gauge('csp_graph_feed_position_seq', 'Sequence number of the last entry that the feed has read.', () =>
    Number(feed.position.seq),
  );
}

function tellReads({ documents, services: { queries, readSource } }: Observed, gauge: Told, counter: Told): void {
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

function tellPools({ connections: { pools, replica } }: Observed, registry: Registry, gauge: Told): void {
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

/** Metrics of the seals. @returns how to bring them up to date: it asks the database, so once for all three */
function tellSeals({ sealer }: Observed, registry: Registry): () => Promise<void> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  const number = gauge('csp_graph_seal_number', 'Number of the newest seal.');
  const age = gauge('csp_graph_seal_age_seconds', 'Age of the newest seal.');
  const unsealed = gauge('csp_graph_unsealed_entries', 'Entries after the newest seal, counted to 100000.');
  return async () => {
    // Where the database does not answer, the rest is still told.
    const state = await sealer.state().catch(() => ({ number: NaN, ageSeconds: NaN, unsealed: NaN }));
    number.set(state.number);
    age.set(state.ageSeconds);
    unsealed.set(state.unsealed);
  };
}

function tellNats(nats: NatsSource, gauge: Told): void {
  gauge('csp_graph_feed_from_nats', 'Whether the feed follows NATS (1) or polls PostgreSQL (0).', () =>
    Number(nats.isFollowing),
  );
  gauge('csp_graph_feed_relays', 'Whether this process relays the log from PostgreSQL to NATS.', () =>
    Number(nats.relay.leads),
  );
  gauge('csp_graph_feed_relayed', 'Entries relayed since the start.', () => nats.relay.relayed);
  gauge(
    'csp_graph_feed_filled',
    'Entries read from PostgreSQL since the start because NATS had them no longer.',
    () => nats.filled,
  );
}
