import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { ErrorCode } from '../../graphql/errors.js';
import { isNestedTooDeeply, NESTED_TOO_DEEPLY } from '../../lib/nesting.js';
import { refuse } from './refusal.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types that a route answers with; left out where it negotiates itself. */
    produces?: string[];
    /** The media type of bodies that a route takes. */
    takes?: string;
  }
}

/** Headers that stand once: of two, one would be believed here and the other by a proxy. */
const SINGLE = new Set(['host', 'authorization', 'content-type']);

/** Why a request is refused. */
interface Complaint {
  status: number;
  message: string;
  /** What would be taken. */
  headers?: Record<string, string>;
}

/** A name or an address, and a port. */
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/i;

/**
 * Refuses what is not well formed before anything is done for it, at every address.
 * @returns whether it is well formed
 */
export function requireWellFormed(request: FastifyRequest, reply: FastifyReply): boolean {
  const complaint = complaintOf(request);
  if (!complaint) return true;
  reply.headers(complaint.headers ?? {});
  refuse(reply, complaint.status, ErrorCode.BAD_REQUEST, complaint.message);
  return false;
}

function complaintOf(request: FastifyRequest): Complaint | null {
  const { headers } = request;
  const twice = headerGivenTwice(request.raw);
  if (headers.host === undefined ? request.raw.httpVersion === '1.1' : !HOST.test(headers.host))
    return { status: 400, message: 'The header host is missing, or names none.' };
  const body = bodyComplaintOf(request);
  if (body) return body;
  if (twice) return { status: 400, message: `The header ${twice} stands more than once.` };
  if (request.originalUrl === '*' && request.method !== 'OPTIONS')
    return { status: 400, message: 'The server as a whole is asked for its OPTIONS alone: name an address.' };
  if (!isDecodable(request.url))
    return { status: 400, message: 'The query of the address is not UTF-8 written as %XX.' };
  const { variables, extensions } = request.query as Record<string, unknown>;
  if ([variables, extensions].some((value) => typeof value === 'string' && isNestedTooDeeply(value)))
    return { status: 400, message: NESTED_TOO_DEEPLY };
  const { produces } = request.routeOptions.config;
  if (produces && !accepts(request, produces))
    return { status: 406, message: `This address answers ${produces.join(', ')}: name it in Accept.` };
  return null;
}

/** Why a body is not taken, by its headers. */
function bodyComplaintOf({ headers, raw }: FastifyRequest): Complaint | null {
  const transfer = headers['transfer-encoding'];
  if (transfer !== undefined && raw.httpVersion === '1.0')
    return { status: 400, message: 'HTTP/1.0 has no Transfer-Encoding: send Content-Length, or ask as HTTP/1.1.' };
  if (transfer !== undefined && transfer.trim().toLowerCase() !== 'chunked')
    return { status: 501, message: 'Of transfer codings chunked is taken, alone.' };
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    const message = 'Bodies are taken as they are: send no Content-Encoding.';
    return { status: 415, message, headers: { 'accept-encoding': 'identity' } };
  }
  const charset = charsetOf(headers['content-type']);
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    return { status: 415, message: 'Bodies are taken in UTF-8 alone: send charset=utf-8 or none.' };
  return null;
}

/** The first header that stands twice though it may not. Node keeps one of them without a word. */
function headerGivenTwice({ rawHeaders }: IncomingMessage): string | null {
  let seen = '';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const { length } = rawHeaders[at] as string;
    if (length !== 4 && length !== 12 && length !== 13) continue;
    const name = (rawHeaders[at] as string).toLowerCase();
    if (!SINGLE.has(name)) continue;
    if (seen.includes(name)) return name;
    seen += `${name} `;
  }
  return null;
}

/** Whether what is percent-encoded in the query of an address is text. */
function isDecodable(url: string): boolean {
  const at = url.indexOf('?');
  if (at < 0 || !url.includes('%', at)) return true;
  try {
    decodeURIComponent(url.slice(at));
    return true;
  } catch {
    return false;
  }
}

function charsetOf(contentType: string | undefined): string | undefined {
  return contentType === undefined ? undefined : /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1];
}

function accepts(request: FastifyRequest, types: string[]): boolean {
  const { accept } = request.headers;
  return accept === undefined || accept === '*/*' || new Negotiator(request.raw).mediaType(types) !== undefined;
}
