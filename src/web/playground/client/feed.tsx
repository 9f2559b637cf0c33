import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import type { ExecutionResult } from 'graphql';
import { connection, type FeedMessage } from './connection';
import { useWatched } from './watched';

/** The messages of the subscription that runs or ran last: GraphiQL itself shows only the latest one. */
export function Feed() {
  const messages = useWatched(connection.feed);
  const isRunning = useGraphiQL((state) => state.subscription !== null);
  const { stop } = useGraphiQLActions();
  if (!isRunning && messages.length === 0) return null;
  return (
    <section className="playground-feed" aria-label="Subscription">
      <div className="playground-feed-bar">
        <span className="playground-dot" aria-hidden="true" data-running={isRunning} />
        <span>
          {isRunning ? 'Subscription running' : 'Subscription stopped'} · {countOf(messages)}
        </span>
        {isRunning ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="button" onClick={() => connection.feed.set([])}>
            Close
          </button>
        )}
      </div>
      <ol role="log" aria-label="Messages, newest first">
        {messages.map((message) => (
          <FeedRow key={message.number} {...message} />
        ))}
      </ol>
    </section>
  );
}

function FeedRow({ number, at, payload }: FeedMessage) {
  return (
    <li>
      <details>
        <summary>
          <span>{number}</span>
          <time dateTime={at.toISOString()}>{at.toLocaleTimeString()}</time>
          <code>{oneLine(payload)}</code>
        </summary>
        <pre>{JSON.stringify(payload, null, 2)}</pre>
      </details>
    </li>
  );
}

/** The value of the subscribed field without what only machines read; the whole message when there are errors. */
function oneLine(payload: ExecutionResult): string {
  const fields = Object.values(payload.data ?? {});
  const shown = payload.errors || fields.length !== 1 ? payload : fields[0];
  return JSON.stringify(shown, (key, value) => (key === 'cursor' || key === 'id' ? undefined : value));
}

function countOf([newest]: FeedMessage[]): string {
  const count = newest?.number ?? 0;
  return count === 1 ? '1 message' : `${count} messages`;
}
