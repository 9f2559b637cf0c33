import { constants } from 'node:zlib';
import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticate } from '../../auth/tokens.js';
import { type Context, createContext } from '../../context/context.js';
import { COST_HEADER, tellsCost } from '../../execution/admission.js';
import type { OperationRequest } from '../../execution/prepare.js';
import type { CallerBounds } from '../bounds.js';
import type { HeldAnswers } from '../held-answers.js';
import { abortOnClose } from './abort-on-close.js';
import { enter } from './enter.js';
import { withETag } from './etag.js';
import { type FastPathOptions, fastPath } from './fast-path.js';
import { withheldFromRevoked } from './require-token.js';
import { withHeldAnswers } from './with-held-answers.js';

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
  bounds: CallerBounds;
  answers: HeldAnswers;
}

/** `/graphql` over HTTP: documents of the cache by the fast path, whatever else by Apollo Server. */
export function serveGraphql({ app, apollo, authenticate, bounds, answers, ...options }: GraphqlRouteOptions): void {
  const { services } = options;
  const answer = fastifyApolloHandler(apollo, {
    context: async (request, reply) =>
      createContext(services, {
        viewer: request.viewer,
        correlationId: request.correlationId,
        abort: abortOnClose(reply.raw),
        request: request.raw,
        tellsCost: tellsCost(request.headers[COST_HEADER], (request.body as OperationRequest | undefined)?.extensions),
      }),
  }) as unknown as (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    onRequest: enter(services, authenticate, bounds),
    compress: compression,
    onSend: withheldFromRevoked(services),
    handler: withHeldAnswers(
      answers,
      withETag(fastPath(options, (request, reply) => answer(forApollo(request), reply))),
    ),
  });
}

/**
 * The request as Apollo takes it. A HEAD asks what GET would answer, and its body is left out on its way; the host is
 * used for nothing, and a request of HTTP/1.0 may have none.
 */
function forApollo(request: FastifyRequest): FastifyRequest {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  return Object.create(request, { method: { value: method }, hostname: { value: 'gateway' } });
}
