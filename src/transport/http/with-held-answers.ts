import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../bounds.js';
import { type HeldAnswers, isLarge } from '../held-answers.js';
import { refuseBeyond } from './connections.js';
import { onceClosed } from './once-closed.js';

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Counts what a handler answers until its client has taken it; refuses it where too much waits for that client already. */
export function withHeldAnswers(answers: HeldAnswers, handler: Handler): Handler {
  return async (request, reply) => {
    const answer = await handler(request, reply);
    if (typeof answer !== 'string') return answer;
    if (!isLarge(answer.length)) return answer;
    const held = answers.hold(callerOf(request.viewer, request.network), answer.length);
    if (held === null) return answer;
    if (typeof held !== 'function') return refuseBeyond(reply, held);
    onceClosed(reply.raw, held);
    return answer;
  };
}
