import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { varyBy } from './refusal.js';

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * Gives answers to GET an ETag, and answers 304 without a body to whoever has it already. Only the viewer's own
 * cache may keep them, and must ask each time. Answers to POST are kept nowhere: one may hold a product key.
 */
export function withETag(handler: Handler): Handler {
  const withTag: Handler = async (request, reply) => {
    const answer = await handler(request, reply);
    if (reply.statusCode !== 200 || !isContent(answer)) return answer;
    varyBy(reply, 'authorization, accept, accept-encoding').header('cache-control', 'private, no-cache');
    return conditionally(request, reply, answer);
  };
  return (request, reply) => (isRead(request) ? withTag : handler)(request, reply);
}

/** The same for pages that anybody may keep: a hook before they are sent. */
export function withPageETag(
  request: FastifyRequest,
  reply: FastifyReply,
  page: unknown,
  done: (error: null, page: unknown) => void,
): void {
  const isKept = reply.getHeader('cache-control') === 'no-cache' && reply.statusCode === 200 && isRead(request);
  if (isKept && isContent(page)) page = conditionally(request, reply, page);
  done(null, page);
}

/** The content with its tag, or nothing where the conditions of the request say so (RFC 9110, 13.2.2). */
function conditionally<Content extends string | Buffer>(
  request: FastifyRequest,
  reply: FastifyReply,
  content: Content,
): Content | string {
  const tag = tagOfContent(content);
  reply.header('etag', tag);
  const mustMatch = tagsOf(request.headers['if-match']);
  // Such tags are compared strongly, and a weak one is never equal.
  if (mustMatch && !mustMatch.includes('*')) {
    reply.code(412);
    return '';
  }
  const theirs = tagsOf(request.headers['if-none-match']);
  if (!theirs?.some((one) => one === '*' || one.replace(/^W\//, '') === tag.slice(2))) return content;
  reply.code(304).removeHeader('content-length');
  return '';
}

/** Tags of bytes, which are kept and sent again. */
const tags = new WeakMap<Buffer, string>();

/** The weak tag of a content: the same may come compressed. */
export function tagOfContent(content: string | Buffer): string {
  if (typeof content === 'string') return hashed(content);
  const tag = tags.get(content) ?? hashed(content);
  tags.set(content, tag);
  return tag;
}

const hashed = (content: string | Buffer) => `W/"${createHash('sha256').update(content).digest('base64url')}"`;

const isContent = (answer: unknown): answer is string | Buffer =>
  typeof answer === 'string' || answer instanceof Buffer;

const isRead = ({ method }: FastifyRequest) => method === 'GET' || method === 'HEAD';

const tagsOf = (header: string | undefined) => header?.split(',').map((one) => one.trim());
