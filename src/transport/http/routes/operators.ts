import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ErrorCode } from '../../../graphql/errors.js';
import { lookAtPeriodicWork } from '../../../jobs/job-counts.js';
import { brokenSyncs } from '../../../modules/mirroring/upstream-status.js';
import { createMetrics } from '../metrics/metrics.js';
import type { Observed } from '../metrics/observed.js';
import { refuse } from '../refusal.js';

const CHALLENGE = 'Bearer realm="csp-graph operators"';

/** How long a gateway may not have looked for jobs before it counts as not ready. */
const SILENT_MS = 60_000;

/** What operators ask: health and metrics. */
export function serveOperators(app: FastifyInstance, observed: Observed): void {
  const { services, worker } = observed;
  const { feed, kysely, config } = services;
  const metrics = createMetrics(observed);
  const json = { onRequest: requireAdminToken(config.admin.token), config: { produces: ['application/json'] } };
  const text = { ...json, config: { produces: ['text/plain'] } };
  app.get('/health/live', json, async () => ({ status: 'live' }));
  app.get('/health/ready', json, async (_request, reply) => {
    if (feed.isDraining) return reply.code(503).send({ status: 'draining' });
    try {
      const failing = (await lookAtPeriodicWork(kysely)).filter(({ failures }) => failures > 0);
      // Jobs that failed are an operator's to look at: a gateway that does none any more is not to be sent purchases.
      if (worker.silentMs > Math.max(SILENT_MS, 5 * config.jobs.pollMs))
        return reply.code(503).send({ status: 'jobs are not looked for' });
      // What fails again and again is an operator's to look at too: other gateways do it no better.
      const broken = services.upstream ? await brokenSyncs(kysely) : [];
      return {
        status: 'ready',
        ...(failing.length > 0 && { failing: failing.map(({ kind }) => kind) }),
        ...(broken.length > 0 && { upstream: broken }),
      };
    } catch {
      return reply.code(503).send({ status: 'database out of reach' });
    }
  });
  /** What is being told: all who ask meanwhile are told the same. */
  let told: Promise<string> | null = null;
  app.get('/metrics', text, async (_request, reply) => {
    told ??= services.turns.take('metrics').then(async () => {
      told = null;
      return metrics.text();
    });
    return reply.header('content-type', metrics.contentType).send(await told);
  });
}

/** Lets in who sends the token of the operators, where there is one. */
function requireAdminToken(token: string | null) {
  const digestOf = (text: string) => createHash('sha256').update(text).digest();
  const wanted = token === null ? null : digestOf(token);
  return async ({ headers }: FastifyRequest, reply: FastifyReply) => {
    if (!wanted) return undefined;
    const [, given] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    // Digests are compared: how long that takes tells nothing of the token.
    if (given !== undefined && timingSafeEqual(digestOf(given), wanted)) return undefined;
    const challenge = given === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`;
    const message = 'Health and metrics are for operators: send Authorization: Bearer and the ADMIN_TOKEN.';
    return refuse(reply.header('www-authenticate', challenge), 401, ErrorCode.UNAUTHENTICATED, message);
  };
}
