import type { ExecutionResult } from 'graphql';
import { watched } from './watched';

/** How the last HTTP answer went. `refused`: the token was not accepted; `needsToken`: there was none. */
export interface HttpStatus {
  state: 'checking' | 'ready' | 'refused' | 'needsToken' | 'unreachable';
  detail?: string;
}

/** Where the WebSocket stands. It opens with the first subscription. */
export interface SocketStatus {
  state: 'idle' | 'connecting' | 'reconnecting' | 'open' | 'closed';
  detail?: string;
}

/** How the transports tell the page what they see. */
export interface Report {
  http(status: HttpStatus): void;
  socket(status: SocketStatus): void;
}

/** One message of a subscription. */
export interface FeedMessage {
  number: number;
  at: Date;
  payload: ExecutionResult;
}

/** What the header, the notice and the feed show. The feed has its newest message first. */
export const connection = {
  http: watched<HttpStatus>({ state: 'checking' }),
  socket: watched<SocketStatus>({ state: 'idle' }),
  feed: watched<FeedMessage[]>([]),
};

const FEED_LIMIT = 200;

/** Adds a message to the feed and forgets the oldest beyond the limit. */
export function recordMessage(payload: ExecutionResult): void {
  const feed = connection.feed.get();
  const message = { number: (feed[0]?.number ?? 0) + 1, at: new Date(), payload };
  connection.feed.set([message, ...feed].slice(0, FEED_LIMIT));
}
