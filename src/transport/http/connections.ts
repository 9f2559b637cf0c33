import type { Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { GraphQLError } from 'graphql';
import type { Services } from '../../context/context.js';
import { ErrorCode } from '../../graphql/errors.js';
import type { Refusals } from '../../graphql/refusals.js';
import { networkOf } from '../../lib/network.js';
import { type CallerBounds, isTaken, type Release } from '../bounds.js';
import { type Callers, WATCHED } from './callers.js';
import type { Cuts } from './cuts.js';
import { Lines } from './lines.js';
import { onceClosed } from './once-closed.js';
import { refuse } from './refusal.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Gives back the request's place among those of its address, before it is answered. */
    leaveRequests: Release;
  }
}

/** How often Node looks for requests that take too long to arrive. */
const LOOK_MS = 1_000;

/**
 * Bounds the connections of an application that does not listen yet: how many there are, how long a request may take to
 * arrive, and how long a client may take nothing of its answer.
 */
export function boundConnections(
  app: FastifyInstance,
  bounds: CallerBounds,
  cuts: Cuts,
  callers: Callers,
  { config, refusals }: Pick<Services, 'config' | 'refusals'>,
): Lines {
  const { server } = app;
  const settings = config.bounds;
  server.headersTimeout = settings.headersTimeoutMs;
  server.requestTimeout = settings.requestTimeoutMs;
  server.maxConnections = settings.connections;
  Object.assign(server, { connectionsCheckingInterval: Math.min(LOOK_MS, settings.headersTimeoutMs) });
  server.on('drop', () => refusals.note('connections'));

  const countedIn = countByAddress(settings.connectionsPerAddress, config.trustedProxies, refusals);

  const lines = new Lines(
    server,
    (socket) => {
      if (!countedIn(socket)) return false;
      callers.readInTurn(socket, cuts.wait(socket));
      return true;
    },
    callers.inTurn,
    (socket) => cuts.note(socket),
  );

  app.decorateRequest('leaveRequests');
  app.addHook('onRequest', (request, reply, done) => {
    cutWhenStalled(reply, settings.stalledTimeoutMs, refusals);
    request.leaveRequests = () => undefined;
    // Who watches the gateway is answered, whoever else is at the same address.
    if (WATCHED.test(request.url)) return done();
    const isKnown = callers.identityOf(request.raw) !== undefined;
    const taken = bounds.takeForAddress('operations', request.network, undefined, isKnown);
    if (!isTaken(taken)) return void refuseBeyond(reply, taken);
    request.leaveRequests = taken;
    onceClosed(reply.raw, taken);
    done();
  });

  return lines;
}

/** Counts connections by address. @returns whether one more may be; a proxy's are those of many */
function countByAddress(maximum: number, trustedProxies: readonly string[], refusals: Refusals) {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  const counts = new Map<string, number>();
  return (socket: Socket): boolean => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || isTrusted(remoteAddress, 0)) return true;
    const address = networkOf(remoteAddress);
    const count = counts.get(address) ?? 0;
    if (count >= maximum) {
      refusals.note('connectionsPerAddress');
      return false;
    }
    counts.set(address, count + 1);
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
    return true;
  };
}

/** Answers that a caller has as many of something as may be. */
export function refuseBeyond(reply: FastifyReply, { message, extensions }: GraphQLError): FastifyReply {
  const { limit } = extensions;
  return refuse(reply.header('retry-after', '1'), 429, ErrorCode.LIMIT_EXCEEDED, message, { limit });
}

/** Cuts a client off that takes nothing of what waits for it. One that waits itself, for an answer or an event, stays. */
function cutWhenStalled({ raw }: FastifyReply, stalledMs: number, refusals: Refusals): void {
  raw.setTimeout(stalledMs, (socket?: Socket) => {
    if (!socket) return;
    if (socket.writableLength === 0) return void socket.setTimeout(stalledMs);
    refusals.note('stalled');
    socket.destroy();
  });
}
