import WebSocket from 'ws';
import type { TestGateway } from './gateway.js';

/** A message of graphql-transport-ws as tests read it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read answers as clients do
export type Message = any;

/** A socket without a client library around it: sends whatever it is told, keeps every answer. */
export interface RawSocket {
  socket: WebSocket;
  /** Objects go as JSON, text and bytes as they are. */
  send(message: object | string | Uint8Array): void;
  /** The next message; rejects where the socket closes before. */
  next(): Promise<Message>;
  closed: Promise<{ code: number; reason: string }>;
}

/** Opens a socket; `protocol` null offers none. */
export async function openRaw(
  gateway: Pick<TestGateway, 'url'>,
  protocol: string | null = 'graphql-transport-ws',
  path = '/graphql',
): Promise<RawSocket> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, protocol === null ? [] : [protocol]);
  const messages: Message[] = [];
  const readers: { resolve: (message: Message) => void; reject: (error: Error) => void }[] = [];
  let end: { code: number; reason: string } | undefined;
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    const reader = readers.shift();
    if (reader) reader.resolve(message);
    else messages.push(message);
  });
  const ended = ({ code, reason }: { code: number; reason: string }) => new Error(`closed with ${code} ${reason}`);
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => {
      end = { code, reason: String(reason) };
      for (const reader of readers.splice(0)) reader.reject(ended(end));
      resolve(end);
    }),
  );
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return {
    socket,
    closed,
    send: (message) =>
      socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message)),
    next: () => {
      if (messages.length > 0) return Promise.resolve(messages.shift());
      if (end) return Promise.reject(ended(end));
      return new Promise((resolve, reject) => readers.push({ resolve, reject }));
    },
  };
}

/** A socket that is acknowledged: of a token, or of nobody. */
export async function openAcknowledged(gateway: Pick<TestGateway, 'url'>, token: string | null): Promise<RawSocket> {
  const raw = await openRaw(gateway);
  raw.send({ type: 'connection_init', payload: token === null ? {} : { authorization: `Bearer ${token}` } });
  const { type } = await raw.next();
  if (type !== 'connection_ack') throw new Error(type);
  return raw;
}
