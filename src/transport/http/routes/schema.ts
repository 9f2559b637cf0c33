import type { FastifyInstance } from 'fastify';
import type { SchemaViews } from '../../../auth/schema-views.js';
import type { Authenticate } from '../../../auth/tokens.js';
import type { Services } from '../../../context/context.js';
import { accountOf } from '../../../cost/cost-control.js';
import { points } from '../../../cost/points.js';
import { ErrorCode } from '../../../graphql/errors.js';
import { Lru } from '../../../lib/lru.js';
import { enter } from '../enter.js';
import { tagOfContent, withETag } from '../etag.js';
import { refuse, varyBy } from '../refusal.js';
import { CHALLENGE, challengeFor } from '../require-token.js';

/** Texts whose tags are kept: as many as there are views. */
const MAXIMUM_TAGS = 50;

/** `/schema.graphql`: the schema as SDL, as far as the caller's roles may use it. */
export function serveSchema(
  app: FastifyInstance,
  services: Services,
  authenticate: Authenticate,
  views: SchemaViews,
): void {
  const tags = new Lru<string, string>(MAXIMUM_TAGS);
  const tagOf = (sdl: string) => {
    const tag = tags.get(sdl) ?? tagOfContent(sdl);
    tags.set(sdl, tag);
    return tag;
  };
  app.get(
    '/schema.graphql',
    { onRequest: enter(services, authenticate), config: { produces: ['text/plain'] } },
    withETag(async ({ viewer, raw }, reply) => {
      const user = accountOf(viewer, () => services.addressOf(raw));
      // The error handler answers it.
      const unpaid = services.costs.spend({ viewer, user }, points.schema);
      if (unpaid) throw unpaid;
      const view = views.of(viewer);
      if (view) {
        reply.header('content-type', 'text/plain; charset=utf-8');
        return view.sdl;
      }
      varyBy(reply, 'authorization');
      if (viewer.identity) {
        const message = 'The schema is not shown here. Ask whoever runs the gateway for it.';
        reply.header('www-authenticate', challengeFor('insufficient_scope', message));
        return refuse(reply, 403, ErrorCode.FORBIDDEN, message);
      }
      const message = 'The schema is for callers with a token: Authorization: Bearer …';
      return refuse(reply.header('www-authenticate', CHALLENGE), 401, ErrorCode.UNAUTHENTICATED, message);
    }, tagOf),
  );
}
