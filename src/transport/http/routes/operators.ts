import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { HorizonWatch } from '../../../activity-log/horizon.js';
import type { Services } from '../../../context/context.js';
import type { Connections } from '../../../database/pools.js';
import type { KnownDocuments } from '../../../execution/documents.js';
import type { NatsSource } from '../../../feed/nats/nats-source.js';
import type { SocketServer } from '../../ws/server.js';

/** Names that pools had before 0.2: told beside the new ones for one release. */
const formerPools: Record<string, string[]> = { interactive: ['front'], internal: ['own'] };

/** What operators ask: health, metrics, and the contract as text. */
export function serveOperations(
  app: FastifyInstance,
  services: Services,
  open: {
    sockets: () => SocketServer | null;
    streams: () => number;
    natsSource: NatsSource | null;
    horizon: HorizonWatch;
    known: KnownDocuments;
    connections: Connections;
  },
  sdl: string,
): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  gauge('csp_graph_sockets', 'Open WebSockets.', () => open.sockets()?.sockets ?? 0);
  gauge('csp_graph_sockets_backlog_bytes', 'Bytes that wait for WebSockets.', () => open.sockets()?.backlog ?? 0);
  gauge('csp_graph_event_streams', 'Open event streams.', open.streams);
  const fanOut = () => open.sockets()?.fanOut;
  gauge(
    'csp_graph_feed_subscribers',
    'Subscribers of the feed over WebSocket.',
    () => fanOut()?.counts.subscribers ?? 0,
  );
  gauge(
    'csp_graph_feed_subscribers_catching_up',
    'Those of them that read the log at their own pace: they have just come, or their line is slow.',
    () => fanOut()?.counts.catchingUp ?? 0,
  );
  gauge('csp_graph_feed_groups', 'Groups of subscribers that get the same texts.', () => fanOut()?.counts.groups ?? 0);
  gauge('csp_graph_feed_delivered', 'Entries delivered by groups since the start.', () => fanOut()?.delivered ?? 0);
  gauge(
    'csp_graph_feed_waiters',
    'Groups of subscribers and event streams that wait for the next entry.',
    () => services.feed.waiters,
  );
  gauge(
    'csp_graph_feed_horizon_held_seconds',
    'Age of the oldest transaction that may still write: the feed waits for it. The log names it.',
    () => open.horizon.heldSeconds,
  );
  gauge('csp_graph_feed_position_seq', 'Sequence number of the last entry that the feed has read.', () =>
    Number(services.feed.position.seq),
  );
  const sealed = {
    number: new Gauge({ name: 'csp_graph_seal_number', help: 'Number of the newest seal.', registers: [registry] }),
    age: new Gauge({ name: 'csp_graph_seal_age_seconds', help: 'Age of the newest seal.', registers: [registry] }),
    unsealed: new Gauge({
      name: 'csp_graph_unsealed_entries',
      help: 'Entries after the newest seal, counted to 100000.',
      registers: [registry],
    }),
  };
  const { known } = open;
  gauge(
    'csp_graph_known_documents',
    'Documents that are answered without being parsed and validated.',
    () => known.size,
  );
  gauge('csp_graph_known_documents_characters', 'Characters of these documents.', () => known.characters);
  counter('csp_graph_known_documents_hits_total', 'Requests answered by a known document.', () => known.hits);
  counter('csp_graph_known_documents_misses_total', 'Requests that went through the pipeline.', () => known.misses);
  counter('csp_graph_known_documents_evictions_total', 'Documents that had to go.', () => known.evictions);
  const { queries, readSource } = services;
  counter('csp_graph_queries_compiled_total', 'Queries over HTTP answered by reads alone.', () => queries.compiled);
  counter('csp_graph_queries_executed_total', 'Queries over HTTP executed field by field.', () => queries.executed);
  counter('csp_graph_plans_hits_total', 'Reads whose plan was there.', () => readSource.plans.hits);
  counter('csp_graph_plans_misses_total', 'Reads whose plan was compiled.', () => readSource.plans.misses);
  const { pools, replica } = open.connections;
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
  if (replica)
    gauge(
      'csp_graph_replica_lag_seconds',
      'How far the replica is behind at most; +Inf: it is not there.',
      () => replica.lagMs / 1_000,
    );
  const { natsSource } = open;
  if (natsSource) {
    gauge('csp_graph_feed_from_nats', 'Whether the feed follows NATS (1) or polls PostgreSQL (0).', () =>
      Number(natsSource.isFollowing),
    );
    gauge('csp_graph_feed_relays', 'Whether this process relays the log from PostgreSQL to NATS.', () =>
      Number(natsSource.relay.leads),
    );
    gauge('csp_graph_feed_relayed', 'Entries relayed since the start.', () => natsSource.relay.relayed);
    gauge(
      'csp_graph_feed_filled',
      'Entries read from PostgreSQL since the start because NATS had them no longer.',
      () => natsSource.filled,
    );
  }

  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) => {
    if (services.feed.isDraining) return reply.code(503).send({ status: 'draining' });
    try {
      await sql`select 1`.execute(services.kysely);
      return { status: 'ready' };
    } catch {
      return reply.code(503).send({ status: 'database out of reach' });
    }
  });
  app.get('/metrics', async (_request, reply) => {
    // Where the database does not answer, the rest is still told.
    const state = await services.sealer.state().catch(() => ({ number: NaN, ageSeconds: NaN, unsealed: NaN }));
    sealed.number.set(state.number);
    sealed.age.set(state.ageSeconds);
    sealed.unsealed.set(state.unsealed);
    return reply.header('content-type', registry.contentType).send(await registry.metrics());
  });
  app.get('/schema.graphql', async (_request, reply) =>
    reply.header('content-type', 'text/plain; charset=utf-8').send(sdl),
  );
}
