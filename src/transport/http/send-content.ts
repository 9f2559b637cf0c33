import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { askedOf } from './preconditions.js';

/** What is sent as it is: a file, or bytes of the database. */
export interface Content {
  /** Bytes of all of it, at least one. */
  size: number;
  /** Strong entity tag, in quotes: other bytes have another one. */
  etag: string;
  /** When it was last another one; null where nobody knows. */
  modified: Date | null;
  /** Bytes from `start` to `end`, both included. */
  open(start: number, end: number): Readable;
}

/** Whether bytes of a content go out by the answer to a request. */
export function isSent(request: FastifyRequest, { etag, size, modified }: Content): boolean {
  if (request.method !== 'GET') return false;
  const asked = askedOf(request, etag, size, modified);
  return asked === 'WHOLE' || typeof asked === 'object';
}

/** Sends a content, or the part of it that is asked for. Its type and name are the caller's to say. */
export function sendContent(request: FastifyRequest, reply: FastifyReply, content: Content): FastifyReply {
  const { size, etag, modified } = content;
  const asked = askedOf(request, etag, size, modified);
  reply.header('accept-ranges', 'bytes').header('etag', etag);
  if (modified) reply.header('last-modified', modified.toUTCString());
  if (asked === 'NOT_MODIFIED') return reply.removeHeader('content-type').code(304).send();
  if (asked === 'FAILED' || asked === 'NOT_SATISFIABLE') {
    reply.removeHeader('content-disposition').type('text/plain; charset=utf-8');
    if (asked === 'FAILED') return reply.code(412).send('The content is another one than If-Match names.');
    return reply.code(416).header('content-range', `bytes */${size}`).send(`The content has ${size} bytes.`);
  }
  const { start, end } = asked === 'WHOLE' ? { start: 0, end: size - 1 } : asked;
  if (asked !== 'WHOLE') reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  reply.header('content-length', end - start + 1);
  return request.method === 'HEAD' ? reply.send() : reply.send(content.open(start, end));
}

/** A content that is in memory. */
export const contentOf = (bytes: Buffer, etag: string, modified: Date | null): Content => ({
  size: bytes.length,
  etag,
  modified,
  open: (start, end) => Readable.from([bytes.subarray(start, end + 1)]),
});
