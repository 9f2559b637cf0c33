import type { FetcherParams, Observable } from '@graphiql/toolkit';
import type { ExecutionResult } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { connection, type Report, recordMessage } from './connection';

/** Close codes by which the gateway says that it does not accept the caller. */
const REFUSALS = [4401, 4403];

/** A WebSocket that opens when first needed and again when it breaks. */
export function connectSocket(token: string | null, report: Report): Client {
  const url = new URL('/graphql', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return createClient({
    url: url.href,
    connectionParams: token ? { authorization: `Bearer ${token}` } : {},
    keepAlive: 15_000,
    retryAttempts: 20,
    on: {
      connecting: (isRetry) => report.socket({ state: isRetry ? 'reconnecting' : 'connecting' }),
      connected: () => report.socket({ state: 'open' }),
      closed(event) {
        const { code, reason } = event as CloseEvent;
        report.socket(code === 1000 ? { state: 'idle' } : { state: 'closed', detail: `${code} ${reason}`.trim() });
        if (REFUSALS.includes(code)) report.http({ state: token ? 'refused' : 'needsToken', detail: reason });
      },
    },
  });
}

/** Runs a subscription and keeps its messages in the feed, which starts empty. */
export function subscribe(socket: Client, params: FetcherParams): Observable<ExecutionResult> {
  const payload = { ...params, variables: { ...params.variables } };
  const resumes = /\$after\s*:/.test(params.query);
  const start = (sink: Parameters<Observable<ExecutionResult>['subscribe']>[0]) => {
    if (typeof sink !== 'object') throw new TypeError('GraphiQL subscribes with a sink');
    connection.feed.set([]);
    const unsubscribe = socket.subscribe<Record<string, { cursor?: string } | null>>(payload, {
      next(result) {
        // graphql-ws sends this same payload again when it reconnects, and so goes on where it stopped.
        const cursor = Object.values(result.data ?? {})[0]?.cursor;
        if (resumes && cursor) payload.variables.after = cursor;
        recordMessage(result);
        sink.next(result as ExecutionResult);
      },
      error: (cause) =>
        sink.error(
          cause instanceof CloseEvent ? new Error(`The socket was closed: ${cause.code} ${cause.reason}`) : cause,
        ),
      complete: () => sink.complete(),
    });
    return { unsubscribe };
  };
  return { subscribe: start };
}
