import { isAfter } from './feed-cursor.js';

/** What every message of the feed has; select `__typename` and, on all but AccessChanged, `cursor`. */
export interface FeedMessage {
  __typename?: string;
  cursor?: string | null;
}

/** Who listens to one subscription. */
export interface Sink<Message> {
  next(message: Message): void;
  /** The subscription broke or was refused. */
  error(cause: unknown): void;
  complete(): void;
}

/**
 * How to subscribe with your client: opens the subscription with these variables and answers how to end it.
 * `fromGraphqlWs`, `fromApollo` and `fromUrql` make one; anything else is a few lines.
 */
export type Subscribe<Message> = (
  variables: Record<string, unknown> & { after: string | null },
  sink: Sink<Message>,
) => () => void;

/** How to follow a feed. */
export interface FollowOptions {
  /** Where to begin: a cursor that you kept. Left out: now. */
  after?: string | null;
  /** Variables beside `after`, such as `filter`. */
  variables?: Record<string, unknown>;
  /** Ends the iteration. */
  signal?: AbortSignal;
  /** How long to wait before connecting again, in milliseconds, by how often it failed in a row. Half of it is chance. */
  retryWait?: (failures: number) => number;
  /** Whether a failure is worth another try; refusals by the server's rules are not. */
  isFatal?: (cause: unknown) => boolean;
}

/** Codes of GraphQL errors that trying again does not mend. */
const FATAL_CODES = [
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'BAD_USER_INPUT',
  'CURSOR_EXPIRED',
  'GRAPHQL_VALIDATION_FAILED',
  'GRAPHQL_PARSE_FAILED',
];

/** Whether the gateway refused: GraphQL errors with a code of those, or close codes that mean "stay away". */
export function isRefusal(cause: unknown): boolean {
  const errors = Array.isArray(cause)
    ? cause
    : ((cause as { graphQLErrors?: unknown[]; errors?: unknown[] })?.graphQLErrors ??
      (cause as { errors?: unknown[] })?.errors ??
      []);
  const code = (cause as { code?: unknown })?.code;
  return (
    (errors as { extensions?: { code?: string } }[]).some((error) =>
      FATAL_CODES.includes(error?.extensions?.code ?? ''),
    ) ||
    code === 4400 ||
    code === 4401 ||
    code === 4406
  );
}

/** Waits 0.25 s, then twice as long each time, at most 15 s. */
export const defaultRetryWait = (failures: number): number => Math.min(250 * 2 ** (failures - 1), 15_000);

/**
 * Follows a feed of csp-graph across cut connections, restarts and deploys: every message once, in order, none missed.
 * The gateway delivers at least once; this resumes at the last cursor and drops what it has seen. Ends after
 * `AccessChanged`, when `signal` fires, or when you leave the loop; throws where the gateway refuses.
 *
 * @example
 * for await (const message of followFeed(fromGraphqlWs(client, query), { after: kept })) {
 *   if (message.cursor) keep(message.cursor);
 * }
 */
export async function* followFeed<Message extends FeedMessage>(
  subscribe: Subscribe<Message>,
  options: FollowOptions = {},
): AsyncGenerator<Message, void, undefined> {
  const { signal, retryWait = defaultRetryWait, isFatal = isRefusal } = options;
  // One object for the life of the feed: graphql-ws sends it again as it is when it reconnects by itself.
  const variables = { ...options.variables, after: options.after ?? null };
  let failures = 0;
  while (!signal?.aborted) {
    const queue: ({ message: Message } | { ended: unknown })[] = [];
    let wake = (): void => undefined;
    const push = (item: (typeof queue)[number]) => {
      queue.push(item);
      wake();
    };
    const stop = subscribe(variables, {
      next: (message) => push({ message }),
      error: (cause) => push({ ended: cause }),
      complete: () => push({ ended: null }),
    });
    const aborted = () => push({ ended: null });
    signal?.addEventListener('abort', aborted);
    try {
      for (;;) {
        const item = queue.shift();
        if (!item) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        if ('ended' in item) {
          if (item.ended !== null && isFatal(item.ended)) throw item.ended;
          break;
        }
        const { message } = item;
        const { cursor } = message;
        if (cursor) {
          const isNews = variables.after === null || isAfter(cursor, variables.after);
          // A control message may stand where the last entry does: it is no repeat.
          if (
            !isNews &&
            message.__typename !== 'FeedCaughtUp' &&
            message.__typename !== 'FeedCheckpoint' &&
            message.__typename !== 'FeedDraining'
          )
            continue;
          if (isNews) variables.after = cursor;
        }
        failures = 0;
        yield message;
        if (message.__typename === 'AccessChanged') return;
      }
    } finally {
      signal?.removeEventListener('abort', aborted);
      stop();
    }
    if (signal?.aborted) return;
    failures += 1;
    const wait = retryWait(failures);
    await new Promise((resolve) => setTimeout(resolve, wait / 2 + (Math.random() * wait) / 2));
  }
}

/** The one root field of a subscription's answer. */
function rootField<Message>(data: Record<string, unknown> | null | undefined): Message | null {
  const [value] = Object.values(data ?? {});
  return (value ?? null) as Message | null;
}

function deliver<Message>(result: { data?: unknown; errors?: readonly unknown[] | null }, sink: Sink<Message>): void {
  const message = rootField<Message>(result.data as Record<string, unknown> | null);
  if (message) sink.next(message);
  else sink.error(result.errors ?? new Error('an answer without data'));
}

/** What `followFeed` needs of a graphql-ws client. */
interface GraphqlWsClient {
  subscribe(
    payload: { query: string; variables: Record<string, unknown> },
    sink: {
      next(result: { data?: unknown; errors?: readonly unknown[] }): void;
      error(cause: unknown): void;
      complete(): void;
    },
  ): () => void;
}

/** Subscribes with a client of graphql-ws. */
export function fromGraphqlWs<Message extends FeedMessage>(client: GraphqlWsClient, query: string): Subscribe<Message> {
  return (variables, sink) =>
    client.subscribe(
      { query, variables },
      { next: (result) => deliver(result, sink), error: sink.error, complete: sink.complete },
    );
}

/** What `followFeed` needs of an Apollo Client. */
interface ApolloLike {
  subscribe(options: { query: unknown; variables: Record<string, unknown> }): {
    subscribe(observer: {
      next(result: { data?: unknown; errors?: readonly unknown[] }): void;
      error(cause: unknown): void;
      complete(): void;
    }): { unsubscribe(): void };
  };
}

/** Subscribes with an Apollo Client (a split link with GraphQLWsLink). `query` is a document as `gql` makes it. */
export function fromApollo<Message extends FeedMessage>(client: ApolloLike, query: unknown): Subscribe<Message> {
  return (variables, sink) => {
    const subscription = client
      .subscribe({ query, variables: { ...variables } })
      .subscribe({ next: (result) => deliver(result, sink), error: sink.error, complete: sink.complete });
    return () => subscription.unsubscribe();
  };
}

/** What `followFeed` needs of an urql client. */
interface UrqlLike {
  subscription(
    query: unknown,
    variables: Record<string, unknown>,
  ): {
    subscribe(next: (result: { data?: unknown; error?: { graphQLErrors?: readonly unknown[] } }) => void): {
      unsubscribe(): void;
    };
  };
}

/** Subscribes with an urql client (its subscriptionExchange over graphql-ws). */
export function fromUrql<Message extends FeedMessage>(client: UrqlLike, query: unknown): Subscribe<Message> {
  return (variables, sink) => {
    const subscription = client.subscription(query, { ...variables }).subscribe((result) => {
      if (result.error && !result.data) sink.error(result.error);
      else deliver(result, sink);
    });
    return () => subscription.unsubscribe();
  };
}
