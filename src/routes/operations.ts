import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Services } from '../context.js';
import type { SocketServer } from '../ws.js';

/** What operators ask: health, metrics, and the contract as text. */
export function serveOperations(
  app: FastifyInstance,
  services: Services,
  sockets: () => SocketServer | null,
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
  gauge('csp_graph_sockets', 'Open WebSockets.', () => sockets()?.sockets ?? 0);
  gauge(
    'csp_graph_feed_waiting_subscribers',
    'Subscribers of the feed that wait for the next entry.',
    () => services.feed.waiters,
  );
  gauge('csp_graph_feed_position_seq', 'Sequence number of the last entry that the feed has read.', () =>
    Number(services.feed.position.seq),
  );

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
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', registry.contentType).send(await registry.metrics()),
  );
  app.get('/schema.graphql', async (_request, reply) =>
    reply.header('content-type', 'text/plain; charset=utf-8').send(sdl),
  );
}
