import type { Server } from 'node:http';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { CloseCode } from 'graphql-ws';
import pLimit, { type LimitFunction } from 'p-limit';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticate } from '../../auth/tokens.js';
import type { Viewer } from '../../auth/viewer.js';
import { type Context, createContext, type Services } from '../../context/context.js';
import { ACCESS_REVOKED, atExpiry, operationRules, TOKEN_EXPIRED } from '../../execution/prepare.js';
import { sharedRender, shareKey } from '../../execution/render-messages.js';
import { FanOut } from '../../feed/delivery/fan-out.js';
import { ActivityStream } from '../../feed/delivery/subscription.js';
import { codedError, ErrorCode, type ReportInternalError } from '../../graphql/errors.js';
import { limits } from '../../graphql/limits.js';
import { Departure } from '../../lib/abort-flag.js';
import { type Line, speakProtocol } from './protocol.js';
import { drainedOf, SocketOutlet } from './sink.js';

const MAXIMUM_SUBSCRIPTIONS_PER_SOCKET = 50;
/** Queries and mutations of a socket that run at once: more would take the others' turns, and hold many answers in memory. */
const MAXIMUM_RUNNING_PER_SOCKET = 4;
/** Characters of an operation's id: every message of the operation repeats it. */
const MAXIMUM_ID = 128;

/** What is known of a socket once it is acknowledged. */
interface Connected extends Line {
  viewer: Viewer;
  /** Lets its operations run a few at a time. */
  inTurn: LimitFunction;
}

/** An operation, and whose it is. */
interface Prepared extends ExecutionArgs {
  line: Connected;
  operationId: string;
}

/** GraphQL over WebSocket, open. */
export interface SocketServer {
  /** Open sockets. */
  readonly sockets: number;
  /** Bytes that wait for all of them. */
  readonly backlog: number;
  readonly fanOut: FanOut;
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
export function serveSockets(
  server: Server,
  schema: GraphQLSchema,
  services: Services,
  authenticate: Authenticate,
  report: ReportInternalError,
): SocketServer {
  const sockets = new WebSocketServer({
    server,
    path: '/graphql',
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
  });
  const fanOut = new FanOut(services);
  const { prepare, mask, finished } = operationRules(schema, report);

  /** By socket, what it is still owed before it may be closed. */
  const owed = new WeakMap<WebSocket, Set<Promise<unknown>>>();
  const owe = (socket: WebSocket, answer: Promise<unknown>) => {
    const answers = owed.get(socket) ?? new Set();
    owed.set(socket, answers.add(answer));
    const done = () => void answers.delete(answer);
    answer.then(done, done);
  };

  /** Closes the socket of a revoked viewer for good: no operation of theirs begins after the revocation. */
  const isShutOut = ({ socket, viewer }: Connected) => {
    if (!services.revocations.covers(viewer)) return false;
    socket.close(CloseCode.Unauthorized, ACCESS_REVOKED);
    return true;
  };

  speakProtocol<Connected>(
    sockets,
    {
      connectionInitWaitTimeout: 5_000,
      onConnect: async ({ connectionParams, extra }) => {
        const authorization = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
        try {
          const viewer = await authenticate(typeof authorization === 'string' ? authorization : undefined);
          const { socket } = Object.assign(extra, { viewer, inTurn: pLimit(MAXIMUM_RUNNING_PER_SOCKET) });
          if (isShutOut(extra)) return false;
          const callOff = atExpiry(viewer, () => socket.close(CloseCode.Forbidden, TOKEN_EXPIRED));
          socket.once('close', callOff);
          return true;
        } catch (error) {
          const { code, expired } = (error as Partial<GraphQLError>).extensions ?? {};
          // Trying again with the same token is in vain; clients stay away after 4401.
          if (code === ErrorCode.UNAUTHENTICATED && !expired)
            extra.socket.close(CloseCode.Unauthorized, (error as Error).message);
          // 4403: the client may come back, with a new token where its own has expired.
          return false;
        }
      },
      onSubscribe: (ctx, id, payload) => {
        // Nobody reads the answer: the socket is closing.
        if (isShutOut(ctx.extra)) return [codedError(ErrorCode.UNAUTHENTICATED, ACCESS_REVOKED)];
        if (Object.keys(ctx.subscriptions).length > MAXIMUM_SUBSCRIPTIONS_PER_SOCKET) {
          return [
            codedError(
              ErrorCode.LIMIT_EXCEEDED,
              `A socket may have ${MAXIMUM_SUBSCRIPTIONS_PER_SOCKET} operations at once.`,
            ),
          ];
        }
        if (id.length > MAXIMUM_ID)
          return [codedError(ErrorCode.LIMIT_EXCEEDED, `An operation id may have ${MAXIMUM_ID} characters.`)];
        const departure = new Departure();
        const prepared = prepare(payload, () => createContext(services, ctx.extra.viewer, undefined, departure));
        // graphql-ws ends what stands here when the client completes the operation, or is gone; a stream takes its place.
        ctx.subscriptions[id] = endingWith(() => departure.leave());
        return isRefusal(prepared) ? prepared : { ...prepared, line: ctx.extra, operationId: id };
      },
      execute: async (args) => {
        const { line, operationId: _, ...asked } = args as Prepared;
        const answer = line.inTurn(async () => {
          // Who does not take the answers gets no further ones: they would wait in memory.
          await drainedOf(line.request.socket);
          return execute(asked);
        });
        owe(line.socket, answer);
        return finished(await answer, asked.contextValue as Context);
      },
      subscribe: async (args) => {
        const { line, operationId, ...asked } = args as Prepared;
        const source = await createSourceEventStream(asked);
        if (!(source instanceof ActivityStream)) return { errors: mask((source as ExecutionResult).errors ?? []) };
        // graphql-ws keeps the protocol; the loop that would multiply the work by the subscribers is ours.
        const outlet = new SocketOutlet(line.socket, line.request.socket, operationId);
        const delivery = fanOut.deliver(shareKey(asked), source, sharedRender(asked, finished), outlet);
        owe(line.socket, delivery.farewell);
        return delivery;
      },
      // The stream of a revoked viewer has said AccessChanged and ended: the socket goes too.
      onComplete: ({ extra }) => void isShutOut(extra),
      // Also what a stream threw while it ran, such as a failing database.
      onError: (_ctx, _id, _payload, errors) => mask(errors as readonly GraphQLError[]),
    },
    services.config.socketPingMs,
    services.log,
  );

  return {
    fanOut,
    get sockets() {
      return sockets.clients.size;
    },
    get backlog() {
      return [...sockets.clients].reduce((bytes, client) => bytes + client.bufferedAmount, 0);
    },
    close: async () => {
      for (const [index, client] of [...sockets.clients].entries()) {
        const answers = [...(owed.get(client) ?? [])];
        void Promise.allSettled(answers).then(() =>
          setTimeout(() => client.close(1012, 'Service Restart'), Math.min(index, 500)).unref(),
        );
      }
      // One that does not answer the close, because its line is dead, must not hold the stop up.
      const patience = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, services.config.drainTimeoutMs);
      await new Promise((resolve) => sockets.close(resolve));
      clearTimeout(patience);
    },
  };
}

const isRefusal = (prepared: ExecutionArgs | readonly GraphQLError[]): prepared is readonly GraphQLError[] =>
  Array.isArray(prepared);

/** A stream without events that says when it is ended. */
async function* nothing(): AsyncGenerator<never> {}
const endingWith = (ended: () => void): AsyncGenerator<never> =>
  Object.assign(nothing(), {
    return: async () => {
      ended();
      return { value: undefined, done: true as const };
    },
  });
