import type { FastifyInstance } from 'fastify';
import type { SchemaViews } from '../../../auth/schema-views.js';
import type { Authenticate } from '../../../auth/tokens.js';
import type { Services } from '../../../context/context.js';
import { codedError, ErrorCode } from '../../../graphql/errors.js';
import { requireValidToken } from '../app.js';
import { withETag } from '../etag.js';

/** `/schema.graphql`: the schema as SDL, as far as the caller's roles may use it. */
export function serveSchema(
  app: FastifyInstance,
  services: Services,
  authenticate: Authenticate,
  views: SchemaViews,
): void {
  app.get(
    '/schema.graphql',
    { preHandler: requireValidToken(services, authenticate) },
    withETag(async ({ viewer }, reply) => {
      const view = views.of(viewer);
      if (view) {
        reply.header('content-type', 'text/plain; charset=utf-8');
        return view.sdl;
      }
      const refusal = viewer.identity
        ? codedError(ErrorCode.FORBIDDEN, 'The schema is not shown here. Ask whoever runs the gateway for it.')
        : codedError(ErrorCode.UNAUTHENTICATED, 'The schema is for callers with a token: Authorization: Bearer …');
      reply.code(viewer.identity ? 403 : 401).header('vary', 'authorization');
      return { errors: [refusal.toJSON()] };
    }),
  );
}
