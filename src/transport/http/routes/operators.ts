import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { createMetrics } from '../metrics/metrics.js';
import type { Observed } from '../metrics/observed.js';

/** What operators ask: health and metrics. */
export function serveOperators(app: FastifyInstance, observed: Observed): void {
  const { feed, kysely } = observed.services;
  const metrics = createMetrics(observed);
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) => {
    if (feed.isDraining) return reply.code(503).send({ status: 'draining' });
    try {
      await sql`select 1`.execute(kysely);
      return { status: 'ready' };
    } catch {
      return reply.code(503).send({ status: 'database out of reach' });
    }
  });
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.text()),
  );
}
