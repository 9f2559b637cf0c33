import type { Server } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { type GraphQLError, getOperationAST } from 'graphql';
import { CloseCode, type ServerOptions } from 'graphql-ws';
import pLimit from 'p-limit';
import { type ServerOptions as ServerOptionsOfWs, WebSocketServer } from 'ws';
import { ACCESS_REVOKED, accessRevoked } from '../../auth/revocations.js';
import type { Authenticate } from '../../auth/tokens.js';
import { type Context, createContext, type Services } from '../../context/context.js';
import { clientGone } from '../../database/cancellable-pool.js';
import { COST_HEADER, chargeFor, paceRefused, tellsCost } from '../../execution/admission.js';
import { isRefusal, type OperationRules } from '../../execution/prepare.js';
import { sharedRender, shareKey } from '../../execution/render-messages.js';
import type { FanOut } from '../../feed/delivery/fan-out.js';
import { asGraphQLError } from '../../graphql/errors.js';
import { limits } from '../../graphql/limits.js';
import { AbortFlag } from '../../lib/abort-flag.js';
import { type CallerBounds, callerOf, holdStream, isTaken, turnOf } from '../bounds.js';
import { flushed } from '../flushed.js';
import type { HeldAnswers } from '../held-answers.js';
import type { Origins } from '../origins.js';
import { atExpiry, isExpired, TOKEN_EXPIRED, tokenExpired } from '../token-expiry.js';
import { type Connected, closeForGood, payingFrames, type SocketOperation, sessionOf } from './connected.js';
import { authorizationOf } from './credentials.js';
import { endingWith } from './ending-with.js';
import { Expiring } from './expiring.js';
import { answerBadHandshakes, judgeHandshakes, refusedAt } from './handshake.js';
import { InFlight } from './in-flight.js';
import { Pace } from './pace.js';
import { speakProtocol } from './protocol.js';
import { beyondLimits, beyondSize, closingFor, shortened, TRY_AGAIN_LATER } from './refusals.js';
import { SocketSink } from './sink.js';

/** Queries and mutations of a socket that run at once: more would take the others' turns, and hold many answers in memory. */
const MAXIMUM_RUNNING_PER_SOCKET = 4;
/** Pieces that a message may come in: each takes memory of its own, however small. */
const MAXIMUM_FRAGMENTS = 1_024;
const MAXIMUM_CHUNKS = 8_192;
/** Sockets of a stopping gateway close within this time, not all at once. */
const STAGGER_MS = 500;

/** What GraphQL over WebSocket needs. */
export interface SocketsOptions {
  server: Server;
  /** Pages that may open sockets. */
  origins: Origins;
  services: Services;
  authenticate: Authenticate;
  rules: OperationRules;
  fanOut: FanOut;
  bounds: CallerBounds;
  answers: HeldAnswers;
}

/** GraphQL over WebSocket, open. */
export interface SocketServer {
  /** Open sockets. */
  readonly count: number;
  /** Bytes that wait for all of them. */
  readonly backlog: number;
  /** Frames that waited for their caller's turn, since the start. */
  readonly delayed: number;
  /**
   * Closes each with 1012 (come back) once its streams have said FeedDraining and its operations are answered; staggered,
   * so that not all come back at once. What is left after the drain's time is cut.
   */
  close(): Promise<void>;
}

/**
 * GraphQL over WebSocket (`graphql-transport-ws`) on the gateway's HTTP server: same context, limits, guards and masking
 * as over HTTP. Events of a stream get a context of their own, so that nothing is stale.
 */
export function serveSockets(options: SocketsOptions): SocketServer {
  const { server, services, rules, bounds, origins, answers } = options;
  const { config, log } = services;
  const sockets = new WebSocketServer({
    server,
    path: '/graphql',
    maxPayload: limits.bodyBytes,
    maxFragments: MAXIMUM_FRAGMENTS,
    maxBufferedChunks: MAXIMUM_CHUNKS,
    closeTimeout: config.bounds.closeTimeoutMs,
    perMessageDeflate: false,
    // Else it hands on all that a client sent at once before anybody else has a turn.
    allowSynchronousEvents: false,
    autoPong: false,
    verifyClient: judgeHandshakes(origins, bounds, services.addressOf, services.costs.pace),
  } as ServerOptionsOfWs);
  answerBadHandshakes(sockets);
  const inFlight = new InFlight();
  const pace = new Pace(services.turns);
  speakProtocol<Connected>(sockets, protocolOptions(options, inFlight), {
    keepAliveMs: config.socketPingMs,
    tellError: (error) => rules.mask([asGraphQLError(error)]),
    isAcknowledged: ({ viewer }) => viewer !== undefined,
    pace: payingFrames(services, pace),
    hold: ({ caller }, bytes) => answers.keep(caller, bytes),
    refusals: services.refusals,
    log,
  });
  return {
    get count() {
      return sockets.clients.size;
    },
    get backlog() {
      return [...sockets.clients].reduce((bytes, client) => bytes + client.bufferedAmount, 0);
    },
    get delayed() {
      return pace.delayed;
    },
    close: async () => {
      for (const [index, client] of [...sockets.clients].entries()) {
        void inFlight
          .settled(client)
          .then(() => setTimeout(() => client.close(1012, 'Service Restart'), Math.min(index, STAGGER_MS)).unref());
      }
      // One that does not answer the close, because its line is dead, must not hold the stop up.
      const drainTimer = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, services.config.drainTimeoutMs);
      await new Promise((resolve) => sockets.close(resolve));
      clearTimeout(drainTimer);
    },
  };
}

/** What graphql-ws asks for at each step of the protocol. */
function protocolOptions(
  { services, authenticate, rules, fanOut, bounds, answers }: SocketsOptions,
  inFlight: InFlight,
): ServerOptions<Record<string, unknown>, Connected> {
  const { prepare, execute: run, mask, toClientResult } = rules;
  const isRevoked = ({ viewer }: Connected) => services.revocations.covers(viewer);
  /** Closes the socket of a revoked viewer for good: no operation of theirs begins after the revocation. */
  const shutOut = (connected: Connected) => closeForGood(connected, ACCESS_REVOKED);

  return {
    connectionInitWaitTimeout: services.config.bounds.connectionInitTimeoutMs,
    onConnect: async (ctx) => {
      const { connectionParams, extra } = ctx;
      extra.isToldCost = tellsCost(connectionParams?.[COST_HEADER]);
      // graphql-ws would keep it for as long as the socket is open, however large it is.
      Object.assign(ctx, { connectionParams: undefined });
      try {
        const viewer = await authenticate(authorizationOf(connectionParams, extra.request));
        if (extra.socket.readyState !== extra.socket.OPEN) return false;
        const caller = callerOf(viewer, services.addressOf(extra.request));
        const taken = bounds.takeForUser('sockets', caller);
        if (!isTaken(taken)) {
          extra.socket.close(TRY_AGAIN_LATER, shortened(taken.message));
          return false;
        }
        const expiring = new Expiring();
        const inTurn = pLimit(MAXIMUM_RUNNING_PER_SOCKET);
        const { socket } = Object.assign(extra, { viewer, caller, inTurn, streams: new Set(), expiring });
        socket.once('close', taken);
        if (isRevoked(extra)) {
          shutOut(extra);
          return false;
        }
        const outOfTouch = services.revocations.refusal(viewer);
        if (outOfTouch) throw outOfTouch;
        const callOff = atExpiry(viewer, () => {
          expiring.expire();
          // What runs is told so before the socket goes.
          void setImmediate().then(() => socket.close(CloseCode.Forbidden, TOKEN_EXPIRED));
        });
        socket.once('close', callOff);
        socket.once('close', services.sessions.add(sessionOf(extra, services.addressOf)));
        return true;
      } catch (error) {
        // The next ones of the address wait: a handshake costs as much as an operation, and nobody pays for it.
        services.costs.pace.note(refusedAt(services.addressOf(extra.request)));
        const { code, reason } = closingFor(error, services.log);
        extra.socket.close(code, reason);
        return false;
      }
    },
    onSubscribe: async (ctx, id, payload) => {
      if (isRevoked(ctx.extra)) {
        shutOut(ctx.extra);
        // Nobody reads the answer: the socket is closing.
        return [accessRevoked()];
      }
      const outOfTouch = services.revocations.refusal(ctx.extra.viewer);
      if (outOfTouch) return mask([outOfTouch]);
      const { caller, flow } = ctx.extra;
      const refusal = beyondLimits(id, Object.keys(ctx.subscriptions).length, services.refusals);
      if (refusal) return [refusal];
      const abort = new AbortFlag();
      const { viewer, request, isToldCost } = ctx.extra;
      const asking = { viewer, request, abort, tellsCost: isToldCost };
      // graphql-ws ends what stands here when the client completes the operation, or is gone; a stream takes its place.
      ctx.subscriptions[id] = endingWith(() => abort.abort());
      await paceRefused(services, viewer, request);
      await rules.waitFor(payload.query, turnOf(caller), services.turns, abort);
      if (abort.aborted) return [clientGone()];
      const prepared = prepare(payload, () => createContext(services, asking));
      if (isRefusal(prepared)) return prepared;
      const isStream = getOperationAST(prepared.document, prepared.operationName)?.operation === 'subscription';
      const tooLarge = isStream && beyondSize(flow.sizeOf(id), services.refusals);
      if (tooLarge) return [tooLarge];
      const key = isStream ? shareKey(prepared) : '';
      const held = isStream ? holdStream(bounds, caller, key) : bounds.take('operations', caller);
      if (!isTaken(held)) return [held];
      flow.onceEnded(id, held);
      return { ...prepared, connected: ctx.extra, operationId: id, key };
    },
    execute: async (args) => {
      const { connected, operationId: _, key: __, ...asked } = args as SocketOperation;
      const { inTurn, viewer, expiring } = connected;
      const answer = inTurn(async () => {
        // The answer before, of which there is one where others run, is on its way only then.
        if (inTurn.activeCount > 1) await setImmediate();
        // Who does not take the answers gets no further ones: they would wait in memory.
        await flushed(connected.request.socket);
        return isExpired(viewer)
          ? { errors: [tokenExpired()] }
          : answers.unlessFull(connected.caller, () => run(asked));
      });
      inFlight.add(connected.socket, answer);
      const result = await expiring.race(answer);
      // What was read for somebody who was revoked meanwhile does not leave.
      const shown = isRevoked(connected) ? { errors: [accessRevoked()] } : result;
      return toClientResult(shown, asked.contextValue as Context);
    },
    subscribe: async (args) => {
      const { connected, operationId, key, ...asked } = args as SocketOperation;
      const source = await rules.subscribe(asked);
      if ('errors' in source) return source;
      // graphql-ws keeps the protocol; the loop that would multiply the work by the subscribers is ours.
      const sink = new SocketSink(connected.socket, connected.request.socket, operationId);
      const render = sharedRender(asked, toClientResult);
      const charge = chargeFor(asked.contextValue as Context);
      const delivery = fanOut.deliver({ key, subscription: source, render, sink, charge });
      connected.flow.goesOn(operationId);
      inFlight.add(connected.socket, delivery.drained);
      connected.streams.add(operationId);
      return delivery;
    },
    // The streams of a revoked viewer have said AccessChanged and ended: the socket goes too.
    onComplete: ({ extra }, id) => {
      extra.streams.delete(id);
      if (extra.streams.size === 0 && isRevoked(extra)) shutOut(extra);
    },
    // Also what a stream threw while it ran, such as a failing database.
    onError: (_ctx, _id, _payload, errors) => mask(errors as readonly GraphQLError[]),
  };
}
