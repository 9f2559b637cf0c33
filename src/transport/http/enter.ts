import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticate } from '../../auth/tokens.js';
import type { Services } from '../../context/context.js';
import { paceRefused } from '../../execution/admission.js';
import { type CallerBounds, callerOf, isTaken } from '../bounds.js';
import { refuseBeyond } from './connections.js';
import { payForBody } from './json-bodies.js';
import { onceClosed } from './once-closed.js';
import { requireValidToken } from './require-token.js';

/**
 * What comes before the body of a request is read: who asks, whether they have as many operations as may be, and, where
 * they were refused for cost again and again, a wait; and what it costs to read a large one.
 * @param bounds those on operations, for what is one; the address has been counted when the request began
 */
export function enter(services: Services, authenticate: Authenticate, bounds?: CallerBounds) {
  const identify = requireValidToken(services, authenticate);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    if (await identify(request, reply)) return reply;
    const { viewer, network, raw } = request;
    const taken = bounds?.takeForUser('operations', callerOf(viewer, network));
    if (taken && !isTaken(taken)) return refuseBeyond(reply, taken);
    if (taken) onceClosed(reply.raw, taken);
    const wait = paceRefused(services, viewer, raw);
    if (wait) await wait;
    const unpaid = payForBody(request, services);
    // The error handler answers it.
    if (unpaid) throw unpaid;
    return undefined;
  };
}
