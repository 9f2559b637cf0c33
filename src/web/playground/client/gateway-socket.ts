import type { FetcherParams, Observable } from '@graphiql/toolkit';
import type { ExecutionResult } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { connection, type Report, recordMessage } from './connection';

/** What GraphiQL subscribes with; the other shapes of an observable it leaves alone. */
interface Observer {
  next(result: ExecutionResult): void;
  error(cause: unknown): void;
  complete(): void;
}

/** Where a message of our feeds stands, if the operation asks. */
interface FeedPosition {
  __typename?: string;
  cursor?: string;
}

/** A gateway that says `FeedDraining` is about to close the socket. */
const RESUME_DELAY_MS = 1_000;

/** Close codes by which the gateway says that it does not accept the caller. */
const REFUSALS = [4401, 4403];

/** The close code after which a new token is taken. */
const EXPIRED = 4403;

/** A WebSocket that opens when first needed and again when it breaks, with the token as it is by then. */
export function connectSocket(tokenOf: () => string | null, report: Report): Client {
  let token: string | null = null;
  const isFinal = (cause: unknown) =>
    isRefusal(cause) && !((cause as CloseEvent).code === EXPIRED && tokenOf() !== token);
  const url = new URL('/graphql', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return createClient({
    url: url.href,
    connectionParams: () => {
      token = tokenOf();
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    keepAlive: 15_000,
    shouldRetry: (cause) => !isFinal(cause),
    retryAttempts: 120,
    // Apart from each other by chance, so that many pages do not come back at once.
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 1_000 + Math.random() * 2_000)),
    on: {
      connecting: (isRetry) => report.socket({ state: isRetry ? 'reconnecting' : 'connecting' }),
      connected: () => report.socket({ state: 'open' }),
      closed(event) {
        const { code, reason } = event as CloseEvent;
        report.socket(code === 1000 ? { state: 'idle' } : { state: 'closed', detail: `${code} ${reason}`.trim() });
        if (isFinal(event)) report.http({ state: token ? 'refused' : 'needsToken', detail: reason });
      },
    },
  });
}

/**
 * Runs a subscription and keeps its messages in the feed, which starts empty. One that takes `$after` goes on where it
 * stopped when the socket breaks or the gateway restarts.
 */
export function subscribe(socket: Client, params: FetcherParams): Observable<ExecutionResult> {
  const start = (observer: Observer) => {
    connection.feed.set([]);
    const payload = { ...params, variables: { ...params.variables } };
    const resumes = /\$after\s*:/.test(params.query);
    let isDraining = false;
    let end: () => void;
    const run = () => {
      isDraining = false;
      end = socket.subscribe<Record<string, FeedPosition | null>>(payload, {
        next(result) {
          const position = Object.values(result.data ?? {})[0];
          isDraining = resumes && position?.__typename === 'FeedDraining';
          // graphql-ws sends this same payload again when it reconnects.
          if (resumes && position?.cursor) payload.variables.after = position.cursor;
          recordMessage(result as ExecutionResult);
          observer.next(result as ExecutionResult);
        },
        error(cause) {
          observer.error(cause instanceof Event ? new Error(describe(cause)) : cause);
        },
        complete() {
          if (!isDraining) return observer.complete();
          const timer = setTimeout(run, RESUME_DELAY_MS);
          end = () => {
            clearTimeout(timer);
            observer.complete();
          };
        },
      });
    };
    run();
    const unsubscribe = () => {
      isDraining = false;
      end();
    };
    return { unsubscribe };
  };
  return { subscribe: start as Observable<ExecutionResult>['subscribe'] };
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof CloseEvent && REFUSALS.includes(cause.code);
}

function describe(event: Event): string {
  if (!(event instanceof CloseEvent)) return 'The socket could not be opened.';
  return `The socket was closed: ${event.code} ${event.reason}`.trim();
}
