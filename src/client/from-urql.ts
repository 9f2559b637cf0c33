import { currentVariables, deliver } from './deliver.js';
import type { FeedMessage, Subscribe } from './follow-feed.js';

/** A signal of Wonka, urql's streams: the start with a way to answer, a value, or the end. */
type Signal = 0 | { tag: 0; 0: (talkback: 0 | 1) => void } | { tag: 1; 0: UrqlResult };

interface UrqlResult {
  data?: unknown;
  error?: unknown;
}

/** What `followFeed` needs of an urql client. */
interface UrqlLike {
  // biome-ignore lint/suspicious/noExplicitAny: urql's requests are generic in types that are not ours
  executeSubscription(request: any): unknown;
}

/**
 * Subscribes with an urql client, by its subscriptionExchange over graphql-ws.
 * @param request `createRequest(query, {})` of urql; the variables are those of `followFeed`
 */
export function fromUrql<Message extends FeedMessage>(
  client: UrqlLike,
  request: { query: unknown },
): Subscribe<Message> {
  return (variables, observer) => {
    const source = client.executeSubscription({
      ...request,
      variables: currentVariables(variables),
      // urql shares what has the same key: one who subscribes later would join the stream of one who is further on.
      key: Math.floor(Math.random() * 2 ** 32),
    }) as (observer: (signal: Signal) => void) => void;
    let last: unknown;
    let answer: (talkback: 0 | 1) => void = () => undefined;
    // Wonka's own protocol, because `subscribe` does not tell the end.
    source((signal) => {
      if (signal === 0) return observer.complete();
      if (signal.tag === 0) {
        answer = signal[0];
      } else {
        const { data, error } = signal[0];
        // Beside an error urql shows the data of the message before once more.
        if (error !== undefined && (!data || data === last)) observer.error(error);
        else deliver({ data }, observer);
        last = data;
      }
      answer(0);
    });
    return () => answer(1);
  };
}
