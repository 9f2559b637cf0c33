import { randomUUID } from 'node:crypto';
import type { ServerOptions as HttpServerOptions, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import compress from '@fastify/compress';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { GraphQLError } from 'graphql';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { anonymous, type Viewer } from '../../auth/viewer.js';
import type { Config } from '../../config/config.js';
import { ErrorCode } from '../../graphql/errors.js';
import { limits } from '../../graphql/limits.js';
import type { Refusals } from '../../graphql/refusals.js';
import type { ClientAddress } from '../../lib/client-address.js';
import { networkOf } from '../../lib/network.js';
import { isUuid } from '../../lib/uuid.js';
import type { Origins } from '../origins.js';
import { BoundedAnswer, boundedMessages } from './bounded-message.js';
import { allowOrigin } from './cors.js';
import { answerMalformed, cutOff, refuseExpectation, refuseTunnel } from './malformed.js';
import { httpOf, refuse } from './refusal.js';
import { requireWellFormed } from './request-rules.js';

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer;
    correlationId: string;
    /** The network that it comes from, as it is counted by. */
    network: string;
  }
}

/** What an application is made of. */
export interface AppOptions {
  config: Pick<Config, 'trustedProxies'>;
  origins: Origins;
  refusals: Refusals;
  log: Logger;
  addressOf: ClientAddress;
  /** Hears of connections that were cut off for what they send. */
  noteCut: (socket: Socket) => void;
}

/** Seconds after which whoever meets a gateway that stops finds another one, or it again. */
const RETRY_AFTER = 1;

/** A Fastify application with what every route shares: limits, headers, errors. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, origins, refusals, log, addressOf, noteCut } = options;
  const headers = sharedHeaders();
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // What is logged of a request bears its correlation id: a logger for each request would be made for nothing.
    childLoggerFactory: (logger) => logger,
    bodyLimit: limits.bodyBytes,
    // Download and upload addresses hold a signed token.
    routerOptions: { maxParamLength: 2_000 },
    trustProxy: config.trustedProxies,
    rewriteUrl: ({ url = '' }) => pathOfTarget(url),
    // Asked for with everything else that must hold of a request.
    http: {
      requireHostHeader: false,
      shouldUpgradeCallback: isWebSocket,
      IncomingMessage: boundedMessages((request) => {
        refusals.note('bodyPieces');
        noteCut(request.socket);
        cutOff(request);
      }),
      ServerResponse: BoundedAnswer,
    } as HttpServerOptions,
    clientErrorHandler: answerMalformed(refusals, log),
    // Addresses that cannot be decoded come to no hook, nor to the error handler below.
    frameworkErrors: (error, _request, anyReply) => {
      const reply = anyReply as unknown as FastifyReply;
      reply.headers(headers);
      refuse(reply, error.statusCode ?? 400, ErrorCode.BAD_REQUEST, 'The address is not well formed, or too long.');
    },
    forceCloseConnections: 'idle',
    // What still comes on connections that are open is answered below, in words that clients know.
    return503OnClosing: false,
  }) as unknown as FastifyInstance;
  app.server.on('checkExpectation', refuseExpectation);
  app.server.on('connect', refuseTunnel);
  await app.register(compress, { global: false });
  app.decorateRequest('viewer');
  app.decorateRequest('correlationId', '');
  app.decorateRequest('network', '');
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  // Bodies are read where a route says so.
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', (request, reply, done) => {
    request.viewer = anonymous;
    request.network = networkOf(addressOf(request.raw));
    request.correlationId = correlationIdOf(request.headers['x-correlation-id']);
    reply.headers(headers).header('x-correlation-id', request.correlationId);
    allowOrigin(request, reply, origins);
    if (isClosing) {
      const extensions = { retryAfter: RETRY_AFTER };
      reply.header('retry-after', String(RETRY_AFTER));
      refuse(reply, 503, ErrorCode.UNAVAILABLE, 'The gateway is stopping. Nothing was done; come back.', extensions);
      return;
    }
    if (!requireWellFormed(request, reply)) return;
    // Before a body is read.
    if (request.is404) answerNotFound(request, reply);
    else done();
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof GraphQLError) {
      const { status, headers } = httpOf(error.extensions);
      return reply
        .code(status)
        .headers(Object.fromEntries(headers))
        .type('application/json; charset=utf-8')
        .send({ errors: [error.toJSON()] });
    }
    const status = error.statusCode ?? 500;
    if (status === 413) {
      const bound = 'bodyBytes';
      refusals.note(bound);
      const message = `A request may have ${request.routeOptions.bodyLimit} bytes.`;
      return refuse(reply, status, ErrorCode.LIMIT_EXCEEDED, message, { limit: bound });
    }
    if (status === 415) {
      const { takes = 'application/json' } = request.routeOptions.config;
      return refuse(reply.header('accept', takes), status, ErrorCode.BAD_REQUEST, `Bodies are taken as ${takes}.`);
    }
    if (status < 500) return refuse(reply, status, ErrorCode.BAD_REQUEST, error.message);
    const { correlationId: id } = request;
    request.log.error({ err: error, correlationId: id }, 'a route failed');
    const message = `Something went wrong on our side. Tell support this id: ${id}`;
    return refuse(reply, status, ErrorCode.INTERNAL_SERVER_ERROR, message, { id });
  });
  app.setNotFoundHandler(answerNotFound);
  return app;
}

function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Asked of the server as a whole.
  if (request.method === 'OPTIONS' && request.originalUrl === '*') return reply.code(204).send();
  return refuse(reply, 404, ErrorCode.BAD_REQUEST, `There is nothing at ${request.method} ${pathOf(request.url)}.`);
}

/**
 * What every answer bears unless its route says otherwise: that nobody keeps it, and what helmet sets. That is the same
 * for all, and asked once: its dozen functions, one header each, are a twentieth of a small read. Pages bring their own
 * content security policy.
 */
function sharedHeaders(): Record<string, string> {
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
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

/**
 * Whether a request goes on as a WebSocket. Any other upgrade is left alone, as RFC 9110 (7.8) allows, and the request
 * answered: clients of HTTP/2 offer `h2c` with ordinary requests. Asked by Node 24.9 and later; before it, they are 405.
 */
function isWebSocket({ headers, url = '', httpVersion }: IncomingMessage): boolean {
  // HTTP/1.0 has no upgrades.
  return (
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    /^\/graphql(\?|$)/.test(pathOfTarget(url))
  );
}

/** The address of a request target, which may name the whole of it, as for a proxy (RFC 9112, 3.2.2). */
export function pathOfTarget(target: string): string {
  if (target.startsWith('/') || !/^https?:\/\//i.test(target) || !URL.canParse(target)) return target;
  const { pathname, search } = new URL(target);
  return `${pathname}${search}`;
}

/** The first step of an address, no longer than a line: the others and the query may hold tokens. */
function pathOf(url: string): string {
  const [, first = '', others = ''] = /^\/([^/?]*)(\/[^?]*)?/.exec(url) ?? [];
  return `/${first.slice(0, 80)}${others.length > 1 ? '/…' : others}`;
}

/** A correlation id as callers may send it, else a new one. */
function correlationIdOf(header: unknown): string {
  return typeof header === 'string' && isUuid(header) ? header.toLowerCase() : randomUUID();
}
