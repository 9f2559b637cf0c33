import { deliver, type Result } from './deliver.js';
import type { FeedMessage, Subscribe } from './follow-feed.js';

/** What `followFeed` needs of a client of graphql-ws or graphql-sse. */
interface SubscribingClient {
  subscribe(
    payload: { query: string; documentId?: string; variables: Record<string, unknown> },
    observer: { next(result: Result): void; error(cause: unknown): void; complete(): void },
  ): () => void;
}

/**
 * Subscribes with a client of graphql-ws. Its own `retryAttempts` may be any: `followFeed` tries again where it gives up.
 * @param document its text, or the id of one that the gateway trusts
 */
export function fromGraphqlWs<Message extends FeedMessage>(
  client: SubscribingClient,
  document: string | { documentId: string },
): Subscribe<Message> {
  // The protocol wants a query in any case.
  const named = typeof document === 'string' ? { query: document } : { query: '', ...document };
  return (variables, observer) =>
    client.subscribe(
      // The object itself: it is written anew at each connection, with `after` as it is by then.
      { ...named, variables },
      { next: (result) => deliver(result, observer), error: observer.error, complete: observer.complete },
    );
}

/** Subscribes with a client of graphql-sse at `/graphql/stream`, in its distinct connections mode (the default). */
export const fromGraphqlSse: typeof fromGraphqlWs = fromGraphqlWs;
