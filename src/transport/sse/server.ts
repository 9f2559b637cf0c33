import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ExecutionArgs, type ExecutionResult, type GraphQLError, getOperationAST } from 'graphql';
import { createHandler } from 'graphql-sse';
import { SESSION_ENDED } from '../../auth/sessions.js';
import type { Authenticate } from '../../auth/tokens.js';
import { type Context, createContext, type Services } from '../../context/context.js';
import { clientGone } from '../../database/cancellable-pool.js';
import { COST_HEADER, chargeFor, tellsCost } from '../../execution/admission.js';
import { isRefusal, type OperationRules } from '../../execution/prepare.js';
import { sharedRender, shareKey } from '../../execution/render-messages.js';
import type { Delivery, FanOut } from '../../feed/delivery/fan-out.js';
import { asGraphQLError, codedError, ErrorCode } from '../../graphql/errors.js';
import { AbortFlag } from '../../lib/abort-flag.js';
import { type CallerBounds, callerOf, holdStream, isTaken, turnOf } from '../bounds.js';
import { enter } from '../http/enter.js';
import { acceptsEvents, documentIdOf, lacksQuery, lastEventId, namesDocument } from './asked.js';
import { EventStream } from './sink.js';

/** Streams of a stopping gateway end within this time, not all at once. */
const STAGGER_MS = 500;

/** What event streams need. */
export interface EventStreamsOptions {
  app: FastifyInstance;
  services: Services;
  authenticate: Authenticate;
  rules: OperationRules;
  fanOut: FanOut;
  bounds: CallerBounds;
}

/** Server-Sent Events, open. */
export interface EventStreams {
  /** Open event streams. */
  readonly count: number;
  /** Bytes that wait for all of them. */
  readonly backlog: number;
  /** Waits until all have said FeedDraining and ended; cuts what is left after the drain's time. */
  close(): Promise<void>;
}

/**
 * Subscriptions as Server-Sent Events at `/graphql/stream`: the distinct connections mode of GraphQL over SSE, for those
 * whose proxies dislike WebSockets. Limits, guards, masking and shared delivery as over WebSocket. Each `next` bears its
 * cursor as `id`; a client that comes back with `Last-Event-ID` goes on after it, whatever `after` says. There is one
 * request for each stream, so the single connection mode is not served.
 */
export function serveStreams(options: EventStreamsOptions): EventStreams {
  const { app, services, authenticate, rules, fanOut, bounds } = options;
  const { prepare, mask, toClientResult } = rules;
  const open = new OpenStreams();

  const handle = createHandler<FastifyRequest, EventStream, never>({
    authenticate: () => null,
    // Done by `prepare`.
    validate: () => [],
    onSubscribe: async ({ raw, context: stream }, params) => {
      const caller = callerOf(raw.viewer, raw.network);
      const taken = bounds.take('eventStreams', caller);
      if (!isTaken(taken)) return refusalResult([taken]);
      stream.onceClosed(taken);
      const abort = new AbortFlag();
      stream.onceClosed(() => abort.abort());
      await rules.waitFor(params.query, turnOf(caller), services.turns, abort);
      if (abort.aborted) return refusalResult([clientGone()]);
      const prepared = prepare({ ...params, documentId: documentIdOf(raw) }, () => ({
        ...createContext(services, {
          viewer: raw.viewer,
          correlationId: raw.correlationId,
          abort,
          request: raw.raw,
          tellsCost: tellsCost(raw.headers[COST_HEADER]),
        }),
        resumeAfter: lastEventId(raw),
      }));
      if (isRefusal(prepared)) return refusalResult(prepared);
      if (getOperationAST(prepared.document, prepared.operationName)?.operation !== 'subscription')
        return refusalResult([
          codedError(ErrorCode.BAD_REQUEST, 'Only subscriptions are streamed here. Send the rest to /graphql.'),
        ]);
      const key = shareKey(prepared);
      const held = holdStream(bounds, caller, key);
      if (!isTaken(held)) return refusalResult([held]);
      stream.onceClosed(held);
      return { ...prepared, stream, key } as never;
    },
    subscribe: async (args: ExecutionArgs) => {
      const { stream, key, ...asked } = args as ExecutionArgs & { stream: EventStream; key: string };
      const source = await rules.subscribe(asked);
      if ('errors' in source) return source;
      const render = sharedRender(asked, toClientResult);
      const charge = chargeFor(asked.contextValue as Context);
      const delivery = fanOut.deliver({ key, subscription: source, render, sink: stream, charge });
      void delivery.drained.then((isDrained) => {
        if (isDrained) void stream.leave(Math.random() * Math.min(open.size, STAGGER_MS));
      });
      return endOf(delivery, (error) => ({ errors: mask([asGraphQLError(error)]) }));
    },
  });

  const serve = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!acceptsEvents(request.headers.accept))
      return reply.code(406).send(refusalBody('Event streams are text/event-stream: say so in Accept.'));
    if (request.method === 'HEAD') {
      if (!namesDocument(request.query)) return reply.code(400).send(refusalBody('Missing query'));
      // Nothing is subscribed for it.
      return reply.type('text/event-stream; charset=utf-8').send();
    }
    const headers = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]);
    const stream = new EventStream({
      viewer: request.viewer,
      response: reply.raw,
      headers: Object.fromEntries(headers),
      log: services.log,
    });
    request.leaveRequests();
    open.add(stream);
    const before = request.raw.socket.bytesWritten;
    stream.onceClosed(
      services.sessions.add({
        viewer: request.viewer,
        transport: 'EVENT_STREAM',
        address: services.addressOf(request.raw),
        figures: () => ({ operations: 1, bytesSent: request.raw.socket.bytesWritten - before }),
        cut: () => stream.endForGood(SESSION_ENDED),
      }),
    );
    const [body, { status }] = await handle({
      method: request.method,
      url: lacksQuery(request.query) ? `${request.url}&query=` : request.url,
      headers: { get: (name) => (name === 'accept' ? 'text/event-stream' : String(request.headers[name] ?? '')) },
      body: () => (lacksQuery(request.body) ? { ...request.body, query: '' } : request.body) as Record<string, unknown>,
      raw: request,
      context: stream,
    });
    if (body === null || typeof body === 'string') {
      const [error] = body === null ? [] : (JSON.parse(body) as { errors: { message: string }[] }).errors;
      return reply.code(status).send(refusalBody(error?.message ?? 'A POST holds application/json.'));
    }
    // From here on the response is ours: nothing compresses it, and so nothing holds an event back.
    reply.hijack();
    await stream.send(body);
  };

  app.route({
    url: '/graphql/stream',
    method: ['GET', 'HEAD', 'POST'],
    onRequest: enter(services, authenticate),
    handler: serve,
  });

  return {
    get count() {
      return open.size;
    },
    get backlog() {
      return open.backlog;
    },
    close: async () => {
      // One that does not read its goodbye must not hold the stop up.
      const drainTimer = setTimeout(() => open.cut(), services.config.drainTimeoutMs);
      await open.closed();
      clearTimeout(drainTimer);
    },
  };
}

/** The event streams that are open. */
class OpenStreams {
  private readonly streams = new Set<EventStream>();

  get size(): number {
    return this.streams.size;
  }

  get backlog(): number {
    return [...this.streams].reduce((bytes, stream) => bytes + stream.backlog, 0);
  }

  add(stream: EventStream): void {
    this.streams.add(stream);
    stream.onceClosed(() => this.streams.delete(stream));
  }

  cut(): void {
    for (const stream of this.streams) stream.cut();
  }

  /** Resolves when all are closed that are open now. */
  async closed(): Promise<void> {
    await Promise.all([...this.streams].map((stream) => new Promise<void>((resolve) => stream.onceClosed(resolve))));
  }
}

/**
 * What graphql-sse iterates: the delivery, whose messages go to the sink, and in the end what ended it, if anything did.
 * It is over after that, so that `complete` follows.
 */
function endOf(
  delivery: Delivery,
  toResult: (error: Error) => ExecutionResult,
): AsyncIterableIterator<ExecutionResult> {
  let isTold = false;
  const done = { value: undefined, done: true as const };
  const end = async () => {
    await delivery.return?.();
    return done;
  };
  return {
    next: async () => {
      if (isTold) return done;
      try {
        await delivery.next();
        return done;
      } catch (error) {
        isTold = true;
        return { value: toResult(error as Error), done: false };
      }
    },
    return: end,
    // graphql-sse ends only what has all three.
    throw: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Errors before the stream begins are its only event. graphql-sse knows a result by its having `data`. */
const refusalResult = (errors: readonly GraphQLError[]): ExecutionResult => ({ data: undefined as never, errors });

const refusalBody = (message: string) => ({ errors: [codedError(ErrorCode.BAD_REQUEST, message).toJSON()] });
