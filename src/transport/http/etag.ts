import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * Gives answers to GET an ETag, and answers 304 without a body to whoever has it already. Only the viewer's own
 * cache may keep them, and must ask each time. The tag is a weak one: the same answer may come compressed.
 */
export function withETag(handler: Handler): Handler {
  return async (request, reply) => {
    const answer = await handler(request, reply);
    if (request.method !== 'GET' || reply.statusCode !== 200 || typeof answer !== 'string') return answer;
    const tag = `W/"${createHash('sha256').update(answer).digest('base64url')}"`;
    reply.header('etag', tag).header('cache-control', 'private, no-cache').header('vary', 'authorization, accept');
    const theirs = request.headers['if-none-match']?.split(',').map((one) => one.trim()) ?? [];
    if (!theirs.includes(tag)) return answer;
    reply.code(304);
    return '';
  };
}
