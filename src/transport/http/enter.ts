import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Authenticate } from '../../auth/tokens.js';
import type { Services } from '../../context/context.js';
import { clientGone } from '../../database/cancellable-pool.js';
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
  const go = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { viewer, network, raw } = request;
    const taken = bounds?.takeForUser('operations', callerOf(viewer, network));
    if (taken && !isTaken(taken)) return void refuseBeyond(reply, taken);
    if (taken) onceClosed(reply.raw, taken);
    // The error handler answers what is not paid.
    const pay = () => done(payForBody(request, services) ?? undefined);
    const wait = paceRefused(services, viewer, raw);
    // Nothing is begun for who has gone meanwhile.
    if (wait) void wait.then(() => (reply.raw.destroyed ? done(clientGone()) : pay()), done);
    else pay();
  };
  // With a callback: most requests wait for nothing here, and a promise for each would cost what a small read can feel.
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const refused = identify(request, reply);
    if (refused === undefined) go(request, reply, done);
    else if (refused instanceof Promise) void refused.then((answer) => answer ?? go(request, reply, done)).catch(done);
  };
}
