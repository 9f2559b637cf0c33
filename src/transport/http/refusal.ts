import type { FastifyReply } from 'fastify';
import { codedError, type ErrorCode } from '../../graphql/errors.js';

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

/** Notes by which headers of a request an answer differs, beside those that are noted already. */
export function varyBy(reply: FastifyReply, headers: string): FastifyReply {
  const noted = reply.getHeader('vary');
  return reply.header('vary', noted === undefined ? headers : `${noted}, ${headers}`);
}
