import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
import { createHandler } from 'graphql-sse';
import type { Authenticate } from '../../auth/tokens.js';
import { type Context, createContext, type Services } from '../../context/context.js';
import { mapped, operationRules } from '../../execution/prepare.js';
import { requireWhole } from '../../execution/render-messages.js';
import { RETRY_MS, tooExpensive } from '../../feed/delivery/shared-subscription.js';
import { EntryTooExpensive } from '../../feed/delivery/shared-texts.js';
import type { FeedMessage } from '../../feed/delivery/subscription.js';
import { codedError, ErrorCode, type ReportInternalError } from '../../graphql/errors.js';
import { Departure } from '../../lib/abort-flag.js';
import { requireValidToken } from '../http/app.js';
import { EventStream } from './sink.js';

const MAXIMUM_STREAMS_PER_USER = 50;

/** Server-Sent Events, open. */
export interface EventStreams {
  /** Open event streams. */
  readonly streams: number;
  /** Waits until all have said FeedDraining and ended; cuts what is left after the drain's time. */
  close(): Promise<void>;
}

/**
 * Subscriptions as Server-Sent Events at `/graphql/stream`: the distinct connections mode of GraphQL over SSE, for those
 * whose proxies dislike WebSockets. Limits, guards, masking and a context for each event as over WebSocket. Each `next`
 * bears its cursor as `id`; a client that comes back with `Last-Event-ID` goes on after it, whatever `after` says. There
 * is one request for each stream, so the single connection mode is not served.
 */
export function serveStreams(
  app: FastifyInstance,
  schema: GraphQLSchema,
  services: Services,
  authenticate: Authenticate,
  report: ReportInternalError,
): EventStreams {
  const { prepare, mask, finished } = operationRules(schema, report);
  const open = new Set<EventStream>();
  const openOfUser = new Map<string, number>();
  /** The event behind a result. */
  const events = new WeakMap<object, FeedMessage>();

  const handle = createHandler<FastifyRequest, EventStream, never>({
    authenticate: () => null,
    // Done by `prepare`.
    validate: () => [],
    onSubscribe: ({ raw, context: stream }, params) => {
      if ((openOfUser.get(stream.user) ?? 0) > MAXIMUM_STREAMS_PER_USER) {
        return refused([
          codedError(ErrorCode.LIMIT_EXCEEDED, `A user may have ${MAXIMUM_STREAMS_PER_USER} event streams at once.`),
        ]);
      }
      const departure = new Departure();
      stream.onceClosed(() => departure.leave());
      const prepared = prepare(params, () => ({
        ...createContext(services, raw.viewer, raw.correlationId, departure),
        resumeAfter: lastEventId(raw),
      }));
      if (!('document' in prepared)) return refused(prepared);
      if (getOperationAST(prepared.document, prepared.operationName)?.operation === 'subscription')
        return prepared as never;
      return refused([
        codedError(ErrorCode.BAD_REQUEST, 'Only subscriptions are streamed here. Send the rest to /graphql.'),
      ]);
    },
    subscribe: async (args: ExecutionArgs) => {
      const { viewer, departure } = args.contextValue as Context;
      const source = await createSourceEventStream(args);
      if (!(Symbol.asyncIterator in source)) return { errors: mask(source.errors ?? []) };
      const results = mapped(source as AsyncIterable<FeedMessage>, async (rootValue): Promise<ExecutionResult> => {
        for (let isWaiting = false; ; isWaiting = true) {
          const context = createContext(services, viewer, undefined, departure);
          const result = finished(await execute({ ...args, rootValue, contextValue: context }), context);
          try {
            requireWhole(result);
          } catch (error) {
            if (error instanceof EntryTooExpensive) throw tooExpensive();
            if (departure?.hasLeft) throw error;
            if (!isWaiting) services.log.error({ err: error }, 'an event stream waits: an entry could not be read');
            await wait(RETRY_MS, undefined, { ref: false });
            continue;
          }
          events.set(result, rootValue);
          return result;
        }
      });
      const next = () =>
        // What a stream threw while it ran, such as a failing database: told, and then it is over.
        results.next().catch((error: Error) => ({ value: { errors: mask([asGraphql(error)]) }, done: false as const }));
      return { ...results, next };
    },
    onNext: (_context, { context: stream }, result) => stream.admit(events.get(result)),
  });

  const serve = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!acceptsEvents(request.headers.accept))
      return reply.code(406).send(refusal('Event streams are text/event-stream: say so in Accept.'));
    const stream = new EventStream(request.viewer, reply.raw, services.log);
    open.add(stream);
    openOfUser.set(stream.user, (openOfUser.get(stream.user) ?? 0) + 1);
    stream.onceClosed(() => {
      open.delete(stream);
      const others = (openOfUser.get(stream.user) ?? 1) - 1;
      if (others > 0) openOfUser.set(stream.user, others);
      else openOfUser.delete(stream.user);
    });
    const [body, { status }] = await handle({
      method: request.method,
      url: request.url,
      headers: { get: (name) => (name === 'accept' ? 'text/event-stream' : String(request.headers[name] ?? '')) },
      body: () => request.body as Record<string, unknown>,
      raw: request,
      context: stream,
    });
    if (body === null || typeof body === 'string') {
      const [error] = body === null ? [] : (JSON.parse(body) as { errors: { message: string }[] }).errors;
      return reply.code(status).send(refusal(error?.message ?? 'A POST holds application/json.'));
    }
    // From here on the response is ours: nothing compresses it, and so nothing holds an event back.
    reply.hijack();
    const headers = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]);
    // Staggered, so that not all come back at once.
    await stream.pour(body, Object.fromEntries(headers), () => Math.random() * Math.min(open.size, 500));
  };

  app.route({
    url: '/graphql/stream',
    method: ['GET', 'POST'],
    exposeHeadRoute: false,
    preHandler: requireValidToken(services, authenticate),
    handler: serve,
  });

  return {
    get streams() {
      return open.size;
    },
    close: async () => {
      // One that does not read its goodbye must not hold the stop up.
      const patience = setTimeout(() => {
        for (const stream of open) stream.cut();
      }, services.config.drainTimeoutMs);
      await Promise.all([...open].map((stream) => new Promise<void>((resolve) => stream.onceClosed(resolve))));
      clearTimeout(patience);
    },
  };
}

/** Errors before the stream begins are its only event. graphql-sse knows a result by its having `data`. */
const refused = (errors: readonly GraphQLError[]): ExecutionResult => ({ data: undefined as never, errors });

const refusal = (message: string) => ({ errors: [codedError(ErrorCode.BAD_REQUEST, message).toJSON()] });

const asGraphql = (error: Error) =>
  error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error });

function acceptsEvents(accept: string | undefined): boolean {
  return accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept);
}

function lastEventId({ headers }: FastifyRequest): string | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}
