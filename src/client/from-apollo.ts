import { currentVariables, deliver, type Result } from './deliver.js';
import type { FeedMessage, Subscribe } from './follow-feed.js';

/** What `followFeed` needs of an Apollo Client 4. */
interface ApolloLike {
  // biome-ignore lint/suspicious/noExplicitAny: Apollo's options are generic in types that are not ours
  subscribe(options: any): {
    subscribe(observer: {
      // Apollo Client tells errors as results.
      next(result: Result & { error?: unknown }): void;
      error(cause: unknown): void;
      complete(): void;
    }): { unsubscribe(): void };
  };
}

/**
 * Subscribes with an Apollo Client 4 whose subscriptions go by GraphQLWsLink. Messages are events, not state: they stay
 * out of the cache, which would keep each of them.
 * @param query a document as `gql` makes it
 */
export function fromApollo<Message extends FeedMessage>(client: ApolloLike, query: unknown): Subscribe<Message> {
  return (variables, observer) => {
    const subscription = client
      .subscribe({
        query,
        variables: currentVariables(variables),
        fetchPolicy: 'no-cache',
        // A result with data stands, though a field of it was refused.
        errorPolicy: 'all',
        // Else one who subscribes later would join the stream of one who is further on.
        context: { queryDeduplication: false },
      })
      .subscribe({
        next: ({ data, error }) => {
          if (error !== undefined && !data) observer.error(error);
          else deliver({ data }, observer);
        },
        error: observer.error,
        complete: observer.complete,
      });
    return () => subscription.unsubscribe();
  };
}
