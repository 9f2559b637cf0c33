import type { FastifyInstance } from 'fastify';
import type { SchemaViews } from '../../../auth/schema-views.js';
import type { Authenticate } from '../../../auth/tokens.js';
import type { Services } from '../../../context/context.js';
import { ErrorCode } from '../../../graphql/errors.js';
import { withETag } from '../etag.js';
import { refuse, varyBy } from '../refusal.js';
import { CHALLENGE, challengeFor, requireValidToken } from '../require-token.js';

/** `/schema.graphql`: the schema as SDL, as far as the caller's roles may use it. */
export function serveSchema(
  app: FastifyInstance,
  services: Services,
  authenticate: Authenticate,
  views: SchemaViews,
): void {
  app.get(
    '/schema.graphql',
    { preHandler: requireValidToken(services, authenticate), config: { produces: ['text/plain'] } },
    withETag(async ({ viewer }, reply) => {
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
    }),
  );
}
