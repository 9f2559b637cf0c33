import type { FastifyReply, FastifyRequest } from 'fastify';
import { ErrorCode } from '../../graphql/errors.js';
import { type Origins, originRefused } from '../origins.js';
import { refuse, varyBy } from './refusal.js';

/** Headers of requests that mean something here. */
const REQUEST_HEADERS = [
  'accept',
  'apollo-require-preflight',
  'authorization',
  'content-type',
  'if-none-match',
  'last-event-id',
  'x-apollo-operation-name',
  'x-correlation-id',
  'x-csp-cost',
  'x-csp-explain',
].join(', ');
/** Headers of answers that a page may read beside those that it always may. */
const EXPOSED_HEADERS = [
  'allow',
  'content-disposition',
  'etag',
  'link',
  'retry-after',
  'www-authenticate',
  'x-correlation-id',
  'x-export-until',
  'x-remaining-downloads',
].join(', ');
/** For how long browsers may remember a preflight; Chromium remembers none for longer. */
const MAXIMUM_AGE_S = '7200';

/** Lets pages of the named origins read every answer. Tokens are no cookies: credentials of the browser are not asked for. */
export function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: Origins): void {
  const { origin } = request.headers;
  // Said of every answer: a cache must not give one page the answer that another may read.
  reply.header('vary', 'origin');
  if (origin === undefined || !origins.isNamed(origin)) return;
  reply.header('access-control-allow-origin', origin);
  reply.header('access-control-expose-headers', EXPOSED_HEADERS);
}

/** Whether a browser asks if a page may ask. */
export function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/** Answers a preflight, and says in words why not. */
export function answerPreflight(
  request: FastifyRequest,
  reply: FastifyReply,
  origins: Origins,
  methods: string,
): FastifyReply {
  const origin = request.headers.origin as string;
  if (!origins.mayAsk(request.raw)) return refuse(reply, 403, ErrorCode.FORBIDDEN, originRefused(origin));
  return varyBy(reply, 'access-control-request-method, access-control-request-headers')
    .header('access-control-allow-methods', methods)
    .header('access-control-allow-headers', REQUEST_HEADERS)
    .header('access-control-max-age', MAXIMUM_AGE_S)
    .code(204)
    .send();
}
