import type { FastifyInstance, FastifyReply } from 'fastify';
import type { SchemaViews } from '../../../auth/schema-views.js';
import type { Authenticate } from '../../../auth/tokens.js';
import type { Viewer } from '../../../auth/viewer.js';
import type { Services } from '../../../context/context.js';
import { accountOf } from '../../../cost/cost-control.js';
import { points } from '../../../cost/points.js';
import { ErrorCode } from '../../../graphql/errors.js';
import { Lru } from '../../../lib/lru.js';
import { enter } from '../enter.js';
import { withETag } from '../etag.js';
import { refuse, varyBy } from '../refusal.js';
import { CHALLENGE, challengeFor } from '../require-token.js';

/** Texts that are kept as they are sent: as many as there are views. */
const MAXIMUM_TEXTS = 50;

/** `/schema.graphql`: the schema as SDL, as far as the caller's roles may use it. */
export function serveSchema(
  app: FastifyInstance,
  services: Services,
  authenticate: Authenticate,
  views: SchemaViews,
): void {
  const texts = new Lru<string, Buffer>(MAXIMUM_TEXTS);
  /** The bytes of a text: the same for everybody, so that whoever takes them slowly holds nothing of their own. */
  const bytesOf = (sdl: string): Buffer => {
    let bytes = texts.get(sdl);
    if (!bytes) {
      bytes = Buffer.from(sdl);
      texts.set(sdl, bytes);
    }
    return bytes;
  };
  const respond = withETag(async ({ viewer }, reply) => {
    const view = views.of(viewer);
    if (!view) return refuseText(reply, viewer);
    reply.header('content-type', 'text/plain; charset=utf-8');
    return bytesOf(view.sdl);
  });
  app.get(
    '/schema.graphql',
    { onRequest: enter(services, authenticate), config: { produces: ['text/plain'] } },
    async (request, reply) => {
      const { viewer, raw, method } = request;
      const payer = { viewer, user: accountOf(viewer, () => services.addressOf(raw)) };
      // The error handler answers it.
      const unpaid = services.costs.spend(payer, points.schema);
      if (unpaid) throw unpaid;
      const answer = await respond(request, reply);
      if (answer instanceof Buffer && method === 'GET')
        services.costs.deliver(payer, answer.length * points.answeredByte);
      return answer;
    },
  );
}

/** Says why the schema's text is not shown. */
function refuseText(reply: FastifyReply, { identity }: Viewer): FastifyReply {
  varyBy(reply, 'authorization');
  if (identity) {
    const message = 'The schema is not shown here. Ask whoever runs the gateway for it.';
    reply.header('www-authenticate', challengeFor('insufficient_scope', message));
    return refuse(reply, 403, ErrorCode.FORBIDDEN, message);
  }
  const message = 'The schema is for callers with a token: Authorization: Bearer …';
  return refuse(reply.header('www-authenticate', CHALLENGE), 401, ErrorCode.UNAUTHENTICATED, message);
}
