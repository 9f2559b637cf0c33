import type { Server } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { ExecutionArgs, GraphQLError } from 'graphql';
import { CloseCode, type ServerOptions } from 'graphql-ws';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { ACCESS_REVOKED, accessRevoked } from '../../auth/revocations.js';
import type { Authenticate } from '../../auth/tokens.js';
import { type Context, createContext, type Services } from '../../context/context.js';
import { isRefusal, type OperationRules } from '../../execution/prepare.js';
import { sharedRender, shareKey } from '../../execution/render-messages.js';
import type { FanOut } from '../../feed/delivery/fan-out.js';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import { limits } from '../../graphql/limits.js';
import { AbortFlag } from '../../lib/abort-flag.js';
import { flushed } from '../flushed.js';
import { type Origins, originRefused } from '../origins.js';
import { atExpiry, isExpired, TOKEN_EXPIRED, tokenExpired } from '../token-expiry.js';
import { type Connected, closeForGood, sessionOf } from './connected.js';
import { authorizationOf } from './credentials.js';
import { Expiring } from './expiring.js';
import { InFlight } from './in-flight.js';
import { speakProtocol } from './protocol.js';
import { SocketSink } from './sink.js';

const MAXIMUM_SUBSCRIPTIONS_PER_SOCKET = 50;
/** Queries and mutations of a socket that run at once: more would take the others' turns, and hold many answers in memory. */
const MAXIMUM_RUNNING_PER_SOCKET = 4;
/** Characters of an operation's id: every message of the operation repeats it. */
const MAXIMUM_ID = 128;
const MAXIMUM_REASON_BYTES = 123;
/** RFC 6455's registry: clients of graphql-ws come back after it. */
const TRY_AGAIN_LATER = 1013;
/** Sockets of a stopping gateway close within this time, not all at once. */
const STAGGER_MS = 500;

/** An operation, and whose it is. */
interface SocketOperation extends ExecutionArgs {
  connected: Connected;
  operationId: string;
}

/** What GraphQL over WebSocket needs. */
export interface SocketsOptions {
  server: Server;
  /** Pages that may open sockets. */
  origins: Origins;
  services: Services;
  authenticate: Authenticate;
  rules: OperationRules;
  fanOut: FanOut;
}

/** GraphQL over WebSocket, open. */
export interface SocketServer {
  /** Open sockets. */
  readonly count: number;
  /** Bytes that wait for all of them. */
  readonly backlog: number;
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
  const { server, services, origins } = options;
  const sockets = new WebSocketServer({
    server,
    path: '/graphql',
    verifyClient: ({ req }, answer) =>
      origins.mayAsk(req) ? answer(true) : answer(false, 403, originRefused(req.headers.origin ?? '')),
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
  });
  const inFlight = new InFlight();
  speakProtocol<Connected>(sockets, protocolOptions(options, inFlight), services.config.socketPingMs, services.log);
  return {
    get count() {
      return sockets.clients.size;
    },
    get backlog() {
      return [...sockets.clients].reduce((bytes, client) => bytes + client.bufferedAmount, 0);
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
  { services, authenticate, rules, fanOut }: SocketsOptions,
  inFlight: InFlight,
): ServerOptions<Record<string, unknown>, Connected> {
  const { prepare, execute: run, mask, toClientResult } = rules;
  const isRevoked = ({ viewer }: Connected) => services.revocations.covers(viewer);
  /** Closes the socket of a revoked viewer for good: no operation of theirs begins after the revocation. */
  const shutOut = (connected: Connected) => closeForGood(connected, ACCESS_REVOKED);

  return {
    connectionInitWaitTimeout: 5_000,
    onConnect: async ({ connectionParams, extra }) => {
      try {
        const viewer = await authenticate(authorizationOf(connectionParams, extra.request));
        const expiring = new Expiring();
        const inTurn = pLimit(MAXIMUM_RUNNING_PER_SOCKET);
        const { socket } = Object.assign(extra, { viewer, inTurn, streams: new Set(), expiring });
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
        const { code, reason } = closingFor(error, services.log);
        extra.socket.close(code, reason);
        return false;
      }
    },
    onSubscribe: (ctx, id, payload) => {
      if (isRevoked(ctx.extra)) {
        shutOut(ctx.extra);
        // Nobody reads the answer: the socket is closing.
        return [accessRevoked()];
      }
      const outOfTouch = services.revocations.refusal(ctx.extra.viewer);
      if (outOfTouch) return mask([outOfTouch]);
      const refusal = beyondLimits(id, Object.keys(ctx.subscriptions).length);
      if (refusal) return [refusal];
      const abort = new AbortFlag();
      const prepared = prepare(payload, () => createContext(services, { viewer: ctx.extra.viewer, abort }));
      // graphql-ws ends what stands here when the client completes the operation, or is gone; a stream takes its place.
      ctx.subscriptions[id] = endingWith(() => abort.abort());
      return isRefusal(prepared) ? prepared : { ...prepared, connected: ctx.extra, operationId: id };
    },
    execute: async (args) => {
      const { connected, operationId: _, ...asked } = args as SocketOperation;
      const { inTurn, viewer, expiring } = connected;
      const answer = inTurn(async () => {
        // The answer before, of which there is one where others run, is on its way only then.
        if (inTurn.activeCount > 1) await setImmediate();
        // Who does not take the answers gets no further ones: they would wait in memory.
        await flushed(connected.request.socket);
        return isExpired(viewer) ? { errors: [tokenExpired()] } : run(asked);
      });
      inFlight.add(connected.socket, answer);
      const result = await expiring.race(answer);
      // What was read for somebody who was revoked meanwhile does not leave.
      const shown = isRevoked(connected) ? { errors: [accessRevoked()] } : result;
      return toClientResult(shown, asked.contextValue as Context);
    },
    subscribe: async (args) => {
      const { connected, operationId, ...asked } = args as SocketOperation;
      const source = await rules.subscribe(asked);
      if ('errors' in source) return source;
      // graphql-ws keeps the protocol; the loop that would multiply the work by the subscribers is ours.
      const sink = new SocketSink(connected.socket, connected.request.socket, operationId);
      const render = sharedRender(asked, toClientResult);
      const delivery = fanOut.deliver({ key: shareKey(asked), subscription: source, render, sink });
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

/**
 * How a socket is closed whose token was not accepted. Clients stay away after 4401: trying again with the same token is
 * in vain. After 4403 they come back with a new one, after 1013 with the same.
 */
function closingFor(error: unknown, log: Logger): { code: number; reason: string } {
  const { message, extensions = {} } = error as GraphQLError;
  const { code, expired } = extensions;
  if (code === ErrorCode.UNAVAILABLE) return { code: TRY_AGAIN_LATER, reason: shortened(message) };
  if (code !== ErrorCode.UNAUTHENTICATED) {
    log.error({ err: error }, 'a token could not be checked');
    return { code: TRY_AGAIN_LATER, reason: 'The token could not be checked. Try again.' };
  }
  return { code: expired ? CloseCode.Forbidden : CloseCode.Unauthorized, reason: shortened(message) };
}

/** A reason as a close frame can hold it: RFC 6455 allows 123 bytes. */
function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  return bytes.length <= MAXIMUM_REASON_BYTES
    ? reason
    : `${bytes
        .subarray(0, MAXIMUM_REASON_BYTES - 3)
        .toString('utf8')
        .replace(/\uFFFD+$/, '')}…`;
}

/** Why an operation of a socket is refused before it is looked at. */
function beyondLimits(id: string, running: number): GraphQLError | null {
  if (running > MAXIMUM_SUBSCRIPTIONS_PER_SOCKET) {
    return codedError(
      ErrorCode.LIMIT_EXCEEDED,
      `A socket may have ${MAXIMUM_SUBSCRIPTIONS_PER_SOCKET} operations at once.`,
    );
  }
  if (id.length > MAXIMUM_ID)
    return codedError(ErrorCode.LIMIT_EXCEEDED, `An operation id may have ${MAXIMUM_ID} characters.`);
  return null;
}

/** A stream without events that says when it is ended. */
async function* nothing(): AsyncGenerator<never> {}
const endingWith = (ended: () => void): AsyncGenerator<never> =>
  Object.assign(nothing(), {
    return: async () => {
      ended();
      return { value: undefined, done: true as const };
    },
  });
