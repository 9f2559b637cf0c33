import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:zlib';
import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import compress from '@fastify/compress';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { GraphQLError } from 'graphql';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { ACCESS_REVOKED } from '../../auth/revocations.js';
import type { Authenticate } from '../../auth/tokens.js';
import { anonymous, type Viewer } from '../../auth/viewer.js';
import { type Context, createContext, type Services } from '../../context/context.js';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import { limits } from '../../graphql/limits.js';
import { isUuid } from '../../lib/uuid.js';
import { abortOnClose } from './abort-on-close.js';
import { withETag } from './etag.js';
import { type FastPathOptions, fastPath } from './fast-path.js';

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer;
    correlationId: string;
  }
}

/** A Fastify application with what every route shares: limits, headers, errors. */
export async function createApp(log: Logger): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // What is logged of a request bears its correlation id: a logger for each request would be made for nothing.
    childLoggerFactory: (logger) => logger,
    bodyLimit: limits.bodyBytes,
    // Download and upload addresses hold a signed token.
    routerOptions: { maxParamLength: 2_000 },
    trustProxy: true,
    // Addresses that cannot be decoded never come to the error handler below.
    frameworkErrors: (_error, _request, anyReply) => {
      const reply = anyReply as unknown as FastifyReply;
      const malformed = codedError(ErrorCode.BAD_REQUEST, 'The address is not well formed.');
      return reply.code(400).send({ errors: [malformed.toJSON()] });
    },
    forceCloseConnections: 'idle',
  }) as unknown as FastifyInstance;
  const security = securityHeaders();
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(security);
    done();
  });
  await app.register(compress, { global: false });
  app.decorateRequest('viewer');
  app.decorateRequest('correlationId', '');
  app.addHook('onRequest', (request, reply, done) => {
    request.viewer = anonymous;
    request.correlationId = correlationIdOf(request.headers['x-correlation-id']);
    reply.header('x-correlation-id', request.correlationId);
    done();
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error, correlationId: request.correlationId }, 'a route failed');
    const shown =
      status === 413
        ? codedError(ErrorCode.LIMIT_EXCEEDED, `A request may have ${limits.bodyBytes} bytes.`, {
            extensions: { limit: 'bodyBytes' },
          })
        : status >= 500
          ? codedError(
              ErrorCode.INTERNAL_SERVER_ERROR,
              `Something went wrong on our side. Tell support this id: ${request.correlationId}`,
              { extensions: { id: request.correlationId } },
            )
          : codedError(ErrorCode.BAD_REQUEST, error.message);
    return reply.code(status).send({ errors: [shown.toJSON()] });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      errors: [
        codedError(ErrorCode.BAD_REQUEST, `There is nothing at ${request.method} ${pathOf(request.url)}.`).toJSON(),
      ],
    }),
  );
  return app;
}

/**
 * What helmet sets on any answer. It is the same for all, and asked once: its dozen functions, one header each, are a
 * twentieth of a small read. Pages bring their own content security policy.
 */
function securityHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const answer = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  const secure = helmet({ contentSecurityPolicy: false, crossOriginEmbedderPolicy: false });
  secure({} as IncomingMessage, answer as unknown as ServerResponse, (error) => {
    if (error) throw error;
  });
  return headers;
}

const EXPIRED_CHALLENGE = 'Bearer error="invalid_token", error_description="expired"';

/**
 * Tells who asks. A bad token is refused with 401, other than none at all: that is the anonymous viewer. One that cannot
 * be checked now is answered with 503.
 */
export function requireValidToken({ revocations }: Pick<Services, 'revocations'>, authenticate: Authenticate) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      request.viewer = await authenticate(request.headers.authorization);
      const refusal = revocations.refusal(request.viewer);
      if (refusal) throw refusal;
    } catch (error) {
      const { message, extensions = {} } = error as GraphQLError;
      const { code, expired, retryAfter = 2 } = extensions;
      if (code === ErrorCode.UNAUTHENTICATED) {
        // Beside the sentence: whether a new token will do.
        const shown = { message, extensions: { code, ...(expired ? { expired } : {}) } };
        return (
          reply
            .code(401)
            // As RFC 6750 has it; clients of event streams see no more of a refusal than status and headers.
            .header('www-authenticate', expired ? EXPIRED_CHALLENGE : 'Bearer')
            .send({ errors: [shown] })
        );
      }
      if (code === ErrorCode.UNAVAILABLE) {
        const shown = { message, extensions: { code, retryAfter } };
        return reply
          .code(503)
          .header('retry-after', String(retryAfter))
          .send({ errors: [shown] });
      }
      throw error;
    }
  };
}

/** What was read for somebody who was revoked meanwhile does not leave: they are answered as if they had asked now. */
function withheldFromRevoked({ revocations }: Pick<Services, 'revocations'>) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    if (!revocations.covers(request.viewer)) return payload;
    for (const name of ['etag', 'content-length', 'content-encoding']) reply.removeHeader(name);
    reply.code(401).header('www-authenticate', 'Bearer').type('application/json; charset=utf-8');
    return JSON.stringify({ errors: [{ message: ACCESS_REVOKED, extensions: { code: ErrorCode.UNAUTHENTICATED } }] });
  };
}

/** Answers above this many bytes are compressed, where the client takes it, at little cost. */
const compression = {
  threshold: 1_536,
  encodings: ['br', 'gzip'] as ('br' | 'gzip')[],
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  zlibOptions: { level: 4 },
};

/** What `/graphql` over HTTP needs. */
export interface GraphqlRouteOptions extends FastPathOptions {
  app: FastifyInstance;
  apollo: ApolloServer<Context>;
  authenticate: Authenticate;
}

/** `/graphql` over HTTP: documents of the cache by the fast path, whatever else by Apollo Server. */
export function serveGraphql({ app, apollo, authenticate, ...options }: GraphqlRouteOptions): void {
  const { services } = options;
  const handler = fastifyApolloHandler(apollo, {
    context: async (request, reply) =>
      createContext(services, {
        viewer: request.viewer,
        correlationId: request.correlationId,
        abort: abortOnClose(reply.raw),
      }),
  });
  app.route({
    url: '/graphql',
    method: ['GET', 'POST', 'OPTIONS'],
    preHandler: requireValidToken(services, authenticate),
    compress: compression,
    onSend: withheldFromRevoked(services),
    handler: withETag(fastPath(options, handler as never)),
  });
}

/** The first step of an address, no longer than a line: the others and the query may hold tokens. */
function pathOf(url: string): string {
  const [, first = '', others] = /^\/([^/?]*)(\/[^?])?/.exec(url) ?? [];
  return `/${first.slice(0, 80)}${others ? '/…' : ''}`;
}

/** A correlation id as callers may send it, else a new one. */
function correlationIdOf(header: unknown): string {
  return typeof header === 'string' && isUuid(header) ? header.toLowerCase() : randomUUID();
}
