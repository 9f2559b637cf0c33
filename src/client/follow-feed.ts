import { isAfter } from './feed-cursor.js';
import { FeedRefused, isRefusal } from './refusal.js';

/** What every message of the feed has; select `__typename` and `... on FeedMessage { cursor }`: it is what is resumed at. */
export interface FeedMessage {
  __typename?: string;
  cursor?: string | null;
}

/** Messages that are no entries. They may stand where the last entry does, and are no repeat of it. */
const CONTROL_MESSAGES = ['FeedCaughtUp', 'FeedCheckpoint', 'FeedDraining', 'AccessChanged'];

/** Who listens to one subscription. */
export interface Observer<Message> {
  next(message: Message): void;
  /** The subscription broke or was refused. */
  error(cause: unknown): void;
  complete(): void;
}

/**
 * How to subscribe with your client: opens the subscription with these variables and answers how to end it.
 * `fromGraphqlWs`, `fromGraphqlSse`, `fromApollo` and `fromUrql` make one; anything else is a few lines. A client that
 * reconnects by itself must send the variables as they are by then: `after` moves on (see `currentVariables`).
 */
export type Subscribe<Message> = (
  variables: Record<string, unknown> & { after: string | null },
  observer: Observer<Message>,
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

/** Waits 0.25 s, then twice as long each time, at most 15 s. */
export const defaultRetryWait = (failures: number): number => Math.min(250 * 2 ** (failures - 1), 15_000);

/**
 * Follows a feed of csp-graph across cut connections, restarts and deploys: every message once, in order, none missed.
 * The gateway delivers at least once; this resumes at the last cursor and drops what it has seen. Ends after
 * `AccessChanged`, when `signal` fires, or when you leave the loop.
 * @throws {FeedRefused} where the gateway refuses, so that trying again is in vain
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
  // One object for the life of the feed, kept current: a client that reconnects by itself sends it again as it then is.
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
          if (item.ended !== null && isFatal(item.ended)) throw new FeedRefused(item.ended);
          break;
        }
        const { message } = item;
        const { cursor } = message;
        if (cursor) {
          const isNews = variables.after === null || isAfter(cursor, variables.after);
          if (!isNews && !CONTROL_MESSAGES.includes(message.__typename ?? '')) continue;
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
    await pause(wait / 2 + (Math.random() * wait) / 2, signal);
  }
}

/** Waits, or until `signal` fires. */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
