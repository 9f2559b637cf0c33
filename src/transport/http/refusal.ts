import type { FastifyReply } from 'fastify';
import { GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../../graphql/errors.js';

/** A refusal in the form of every error: a code, and a sentence that says what to do. */
export function refusalBody(code: ErrorCode, message: string, extensions: Record<string, unknown> = {}): object {
  return { errors: [codedError(code, message, { extensions }).toJSON()] };
}

/** Answers with a refusal. */
export function refuse(
  reply: FastifyReply,
  status: number,
  code: ErrorCode,
  message: string,
  extensions?: Record<string, unknown>,
): FastifyReply {
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(refusalBody(code, message, extensions));
}

/** How HTTP answers an operation of which nothing was run, by the extensions of why not. */
export function httpOf({ code, retryAfter }: Record<string, unknown>): {
  status: number;
  headers: Map<string, string>;
} {
  if (code === ErrorCode.RATE_LIMITED) return { status: 429, headers: new Map([['retry-after', String(retryAfter)]]) };
  return { status: code === ErrorCode.INTERNAL_SERVER_ERROR ? 500 : 400, headers: new Map() };
}

/** A refusal with the status that Apollo is to answer it with. */
export function withStatus({ message, extensions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { extensions: { ...extensions, http: httpOf(extensions) } });
}

/** Notes by which headers of a request an answer differs, beside those that are noted already. */
export function varyBy(reply: FastifyReply, headers: string): FastifyReply {
  const noted = reply.getHeader('vary');
  return reply.header('vary', noted === undefined ? headers : `${noted}, ${headers}`);
}
