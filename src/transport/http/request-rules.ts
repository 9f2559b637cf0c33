import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
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

/** Refuses what is not well formed before anything is done for it, at every address. */
export function requireWellFormed(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const complaint = complaintOf(request);
    if (!complaint) return done();
    reply.headers(complaint.headers ?? {});
    refuse(reply, complaint.status, ErrorCode.BAD_REQUEST, complaint.message);
  });
}

function complaintOf(request: FastifyRequest): Complaint | null {
  const { headers } = request;
  const twice = headerGivenTwice(request.raw);
  if (headers.host === undefined ? request.raw.httpVersion === '1.1' : !HOST.test(headers.host))
    return { status: 400, message: 'The header host is missing, or names none.' };
  if (twice) return { status: 400, message: `The header ${twice} stands more than once.` };
  if (!isDecodable(request.url))
    return { status: 400, message: 'The query of the address is not UTF-8 written as %XX.' };
  const { variables, extensions } = request.query as Record<string, unknown>;
  if ([variables, extensions].some((value) => typeof value === 'string' && isNestedTooDeeply(value)))
    return { status: 400, message: NESTED_TOO_DEEPLY };
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    const message = 'Bodies are taken as they are: send no Content-Encoding.';
    return { status: 415, message, headers: { 'accept-encoding': 'identity' } };
  }
  const charset = charsetOf(headers['content-type']);
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    return { status: 415, message: 'Bodies are taken in UTF-8 alone: send charset=utf-8 or none.' };
  const { produces } = request.routeOptions.config;
  if (produces && !accepts(request, produces))
    return { status: 406, message: `This address answers ${produces.join(', ')}: name it in Accept.` };
  return null;
}

/** Reads bodies as JSON in UTF-8 alone: what is none would lose its letters on the way, without a word. */
export function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  // Text would be read, only to be refused.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const refused = (why: string) => done(Object.assign(new Error(why), { statusCode: 400 }), undefined);
    if (!isUtf8(body as Buffer)) return refused('The body is not text in UTF-8.');
    const text = body.toString('utf8');
    return isNestedTooDeeply(text) ? refused(NESTED_TOO_DEEPLY) : parse(request, text, done);
  });
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
