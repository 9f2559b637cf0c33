import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { Caller, TestGateway } from './gateway.js';

/** An event as it stood on the wire. */
export interface WireEvent {
  event: string;
  id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as clients do
  data: any;
}

/** An event stream without a client library around it: every line is looked at. */
export interface RawEvents {
  status: number;
  headers: IncomingMessage['headers'];
  /** The next event; undefined where the response ended. */
  next(): Promise<WireEvent | undefined>;
  /** The next event with a message of that type; rejects where the stream ends before, or tells errors. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  nextOf(typename: string): Promise<{ id: string | undefined; message: any }>;
  /** Stops and goes on taking bytes off the line. */
  pause(): void;
  resume(): void;
  /** The body of an answer that is no stream. */
  text(): Promise<string>;
  /** Leaves. */
  end(): void;
}

/** How to open one. */
export interface OpenEvents {
  query?: string;
  documentId?: string;
  variables?: Record<string, unknown> | undefined;
  as?: Caller | null;
  lastEventId?: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
}

/** Opens an event stream over a connection of its own. */
export async function openEvents(gateway: TestGateway, options: OpenEvents): Promise<RawEvents> {
  const { query, documentId, variables = {}, as = 'GLOBAL_ADMIN', lastEventId, method = 'POST' } = options;
  const token = as === null ? null : typeof as === 'string' ? await gateway.token(as) : as.token;
  const url = new URL(`${gateway.url}/graphql/stream`);
  if (method === 'GET') {
    if (query !== undefined) url.searchParams.set('query', query);
    if (documentId !== undefined) url.searchParams.set('documentId', documentId);
    url.searchParams.set('variables', JSON.stringify(variables));
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, {
      method,
      agent: false,
      headers: {
        accept: 'text/event-stream',
        'accept-encoding': 'gzip, br',
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        ...options.headers,
      },
    });
    sent.once('response', resolve).once('error', reject);
    sent.end(method === 'POST' ? JSON.stringify({ query, documentId, variables }) : undefined);
  });
  response.setEncoding('utf8');
  response.on('error', () => undefined);
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  let rest = '';
  const more = async () => {
    const { value, done } = await chunks.next().catch(() => ({ value: undefined, done: true }));
    if (!done) rest += value;
    return !done;
  };
  const next = async (): Promise<WireEvent | undefined> => {
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end < 0) {
        if (!(await more())) return undefined;
        continue;
      }
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim();
      const event = field('event');
      // Comments keep the line alive.
      if (event === undefined) continue;
      return { event, id: field('id'), data: JSON.parse(field('data') || 'null') };
    }
  };
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next,
    nextOf: async (typename) => {
      for (;;) {
        const event = await next();
        if (!event?.data?.data) throw new Error(`${JSON.stringify(event)} came before ${typename}`);
        const [message] = Object.values(event.data.data) as { __typename: string }[];
        if (message?.__typename === typename) return { id: event.id, message };
      }
    },
    pause: () => void response.socket.pause(),
    resume: () => void response.socket.resume(),
    text: async () => {
      while (await more());
      return rest;
    },
    end: () => void response.destroy(),
  };
}
