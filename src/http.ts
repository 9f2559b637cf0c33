import { randomUUID } from 'node:crypto';
import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import type { GraphQLError } from 'graphql';
import type { Authenticate } from './auth/tokens.js';
import { anonymous, type Viewer } from './auth/viewer.js';
import { type Context, createContext, type Services } from './context.js';
import { codedError, ErrorCode } from './graphql/errors.js';
import { limits } from './graphql/limits.js';

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer;
    correlationId: string;
  }
}

/** A Fastify application with what every route shares: limits, headers, who asks. */
export async function createHttp(services: Services, authenticate: Authenticate): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: services.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    // Download and upload addresses hold a signed token.
    routerOptions: { maxParamLength: 2_000 },
    trustProxy: true,
    forceCloseConnections: 'idle',
  }) as unknown as FastifyInstance;
  // Pages bring their own content security policy.
  await app.register(helmet, { contentSecurityPolicy: false, crossOriginEmbedderPolicy: false });
  app.decorateRequest('viewer');
  app.decorateRequest('correlationId', '');
  app.addHook('onRequest', async (request, reply) => {
    request.viewer = anonymous;
    request.correlationId = correlationIdOf(request.headers['x-correlation-id']);
    reply.header('x-correlation-id', request.correlationId);
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error, correlationId: request.correlationId }, 'a route failed');
    const shown =
      status === 413
        ? codedError(ErrorCode.LIMIT_EXCEEDED, `A request may have ${limits.bodyBytes} bytes.`)
        : status >= 500
          ? codedError(
              ErrorCode.INTERNAL_SERVER_ERROR,
              `Something went wrong on our side. Tell support this id: ${request.correlationId}`,
              { extensions: { id: request.correlationId } },
            )
          : codedError(ErrorCode.BAD_REQUEST, error.message);
    return reply.code(status).send({ errors: [shown.toJSON()] });
  });
  app.decorate('authenticate', authenticate);
  return app;
}

/** Tells who asks. A bad token is refused with 401, other than none at all: that is the anonymous viewer. */
export function requireValidToken(services: Services, authenticate: Authenticate) {
  return async (request: FastifyRequest, reply: import('fastify').FastifyReply) => {
    try {
      request.viewer = await authenticate(request.headers.authorization);
      if (services.revocations.covers(request.viewer))
        throw codedError(ErrorCode.UNAUTHENTICATED, 'Your access was revoked. Sign in again once it is given back.');
    } catch (error) {
      const shown = error as GraphQLError;
      if (shown.extensions?.['code'] !== ErrorCode.UNAUTHENTICATED) throw error;
      return reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({ errors: [{ message: shown.message, extensions: { code: ErrorCode.UNAUTHENTICATED } }] });
    }
  };
}

/** `/graphql` over HTTP. */
export function serveGraphql(
  app: FastifyInstance,
  apollo: ApolloServer<Context>,
  services: Services,
  authenticate: Authenticate,
): void {
  app.route({
    url: '/graphql',
    method: ['GET', 'POST', 'OPTIONS'],
    preHandler: requireValidToken(services, authenticate),
    handler: fastifyApolloHandler(apollo, {
      context: async (request) => createContext(services, request.viewer, request.correlationId),
    }) as never,
  });
}

/** A correlation id as callers may send it, else a new one. */
function correlationIdOf(header: unknown): string {
  return typeof header === 'string' && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(header)
    ? header.toLowerCase()
    : randomUUID();
}
