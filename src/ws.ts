import type { Server } from 'node:http';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { CloseCode, type SubscribePayload } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import type { Authenticate } from './auth/tokens.js';
import type { Viewer } from './auth/viewer.js';
import { type Context, createContext, type Services } from './context.js';
import { codedError, ErrorCode, maskError, type ReportInternalError } from './graphql/errors.js';
import { limitRules, limits, refusalBehind } from './graphql/limits.js';
import { type Line, speakProtocol } from './ws-protocol.js';

/** What a socket is told when it must come back with a new token. */
const TOKEN_EXPIRED = 'Token expired';
/** What a socket is told when it should stay away. */
const ACCESS_REVOKED = 'Access revoked';
const KEEP_ALIVE_MS = 12_000;
const MAXIMUM_SUBSCRIPTIONS_PER_SOCKET = 50;
/** A timer of Node holds at most this long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What is known of a socket once it is acknowledged. */
interface Connected extends Line {
  viewer: Viewer;
}

/** GraphQL over WebSocket, open. */
export interface SocketServer {
  /** Open sockets. */
  readonly sockets: number;
  /** Closes what is left with 1012 (come back), staggered, so that not all come back at once. */
  close(): Promise<void>;
}

/**
 * GraphQL over WebSocket (`graphql-transport-ws`) on the gateway's HTTP server: same context, limits, guards and masking
 * as over HTTP. Every event of a stream gets a context of its own, so that nothing is stale.
 */
export function serveSockets(
  server: Server,
  schema: GraphQLSchema,
  services: Services,
  authenticate: Authenticate,
  report: ReportInternalError,
): SocketServer {
  const sockets = new WebSocketServer({ server, path: '/graphql', maxPayload: limits.bodyBytes });
  const rules = [...specifiedRules, ...limitRules];
  const mask = (errors: readonly GraphQLError[]) => errors.map((error) => maskError(error, report));

  const finished = (result: ExecutionResult, context: Context): ExecutionResult => {
    const errors = [...mask(result.errors ?? []), ...context.denials.errors];
    return { ...result, errors: errors.length > 0 ? errors : undefined };
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
          const { socket } = Object.assign(extra, { viewer });
          if (isShutOut(extra)) return false;
          if (viewer.expiresAt !== null) {
            const timer = setTimeout(
              () => socket.close(CloseCode.Forbidden, TOKEN_EXPIRED),
              Math.min(viewer.expiresAt - Date.now(), LONGEST_TIMER_MS),
            );
            timer.unref();
            socket.once('close', () => clearTimeout(timer));
          }
          return true;
        } catch {
          // 4403: the client may come back with a token that holds.
          return false;
        }
      },
      onSubscribe: (ctx, _id, payload) => {
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
        return prepare(payload, () => createContext(services, ctx.extra.viewer));
      },
      execute: async (args) => {
        const context = (args as ExecutionArgs).contextValue as Context;
        return finished(await execute(args as ExecutionArgs), context);
      },
      subscribe: async (args) => {
        const { contextValue } = args as ExecutionArgs;
        const viewer = (contextValue as Context).viewer;
        const source = await createSourceEventStream(args as ExecutionArgs);
        if (!(Symbol.asyncIterator in source)) return { errors: mask(source.errors ?? []) };
        return mapped(source, async (rootValue) => {
          const context = createContext(services, viewer);
          return finished(await execute({ ...(args as ExecutionArgs), rootValue, contextValue: context }), context);
        });
      },
      // The stream of a revoked viewer has said AccessChanged and ended: the socket goes too.
      onComplete: ({ extra }) => void isShutOut(extra),
      // Also what a stream threw while it ran, such as a failing database.
      onError: (_ctx, _id, _payload, errors) => mask(errors as readonly GraphQLError[]),
    },
    KEEP_ALIVE_MS,
    services.log,
  );

  function prepare(payload: SubscribePayload, context: () => Context): ExecutionArgs | readonly GraphQLError[] {
    let document: ReturnType<typeof parse>;
    try {
      document = parse(payload.query, { maxTokens: limits.tokens });
    } catch (error) {
      return [told(ErrorCode.GRAPHQL_PARSE_FAILED, error as GraphQLError)];
    }
    const errors = validate(schema, document, rules);
    if (errors.length > 0) return errors.map((error) => told(ErrorCode.GRAPHQL_VALIDATION_FAILED, error));
    if (!getOperationAST(document, payload.operationName))
      return [codedError(ErrorCode.OPERATION_RESOLUTION_FAILURE, 'Say in operationName which operation to run.')];
    return {
      schema,
      document,
      operationName: payload.operationName,
      variableValues: payload.variables,
      contextValue: context(),
    };
  }

  return {
    get sockets() {
      return sockets.clients.size;
    },
    close: async () => {
      for (const [index, client] of [...sockets.clients].entries()) {
        setTimeout(() => client.close(1012, 'Service Restart'), Math.min(index, 500)).unref();
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

/** An error of parsing or validating with its code, and its place in the document. */
function told(code: ErrorCode, error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions } = error;
  return refusalBehind(error) ?? codedError(code, message, { nodes, source, positions });
}

/** A stream of results out of a stream of events; ending it ends its source. */
function mapped<Event, Result>(
  source: AsyncIterable<Event>,
  map: (event: Event) => Promise<Result>,
): AsyncIterableIterator<Result> {
  const iterator = source[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value, done } = await iterator.next();
      return done ? { value: undefined, done: true } : { value: await map(value), done: false };
    },
    return: async () => {
      await iterator.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
