import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { GraphQLError } from 'graphql';
import { CloseCode, handleProtocols, MessageType, makeServer, type ServerOptions, validateMessage } from 'graphql-ws';
import type { Logger } from 'pino';
import type { RawData, WebSocket, WebSocketServer } from 'ws';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import type { Release } from '../bounds.js';
import { Flow } from './flow.js';

/** What the protocol knows of a socket. */
export interface SocketContext extends Record<PropertyKey, unknown> {
  socket: WebSocket;
  request: IncomingMessage;
  /** How fast it is read. */
  flow: Flow;
}

/** What is asked beside the protocol. */
export interface ProtocolOptions<Known> {
  /** How often sockets are pinged. */
  keepAliveMs: number;
  /** What an operation is told that failed where nobody foresaw it. */
  tellError: (error: unknown) => readonly GraphQLError[];
  /** Whether it is known who asks: before that any operation closes the socket, as the protocol has it. */
  isAcknowledged: (known: Known) => boolean;
  log: Logger;
}

const PING_BYTES = 8;

/**
 * Speaks graphql-transport-ws on the sockets of a server, and pings them. Sockets break every day: graphql-ws' own
 * adapter writes each time to standard error, this one tells the log what is worth telling.
 */
export function speakProtocol<Known extends SocketContext>(
  sockets: WebSocketServer,
  options: ServerOptions<Record<string, unknown>, Known>,
  { keepAliveMs, tellError, isAcknowledged, log }: ProtocolOptions<Known>,
): void {
  sockets.options.handleProtocols = handleProtocols;
  const protocol = makeServer(options);
  // Errors of the HTTP server come by here too, such as a taken port: `listen` tells them.
  sockets.on('error', () => undefined);
  sockets.on('connection', (socket, request) => {
    // ws closes it itself, with the code that fits, such as 1009 for a frame that is too large.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket broke'));

    const flow = new Flow(socket, request.socket);
    const known = { socket, request, flow } as Known;
    const tell = (id: string, error: unknown) =>
      socket.send(JSON.stringify({ id, type: MessageType.Error, payload: tellError(error) }));
    // What was sent with the ping that is not answered yet: a client that does not read cannot tell it.
    let sent: Buffer | null = null;
    socket.on('pong', (data: Buffer) => {
      if (sent?.equals(data)) sent = null;
      flow.look();
    });
    socket.on('ping', () => flow.look());
    const pings = setInterval(() => {
      if (sent && !flow.isThere()) return socket.terminate();
      if (sent) return;
      sent = randomBytes(PING_BYTES);
      socket.ping(sent);
    }, keepAliveMs);

    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) return resolve();
            socket.send(text, (error) => (error ? reject(error) : resolve()));
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on(
            'message',
            oneAfterAnother(socket, flow, async (text, id, malformed) => {
              if (malformed && id !== undefined && isAcknowledged(known))
                return tell(id, codedError(ErrorCode.BAD_REQUEST, malformed));
              return take(text).catch((error) => {
                if (socket.readyState !== socket.OPEN) return log.debug({ err: error }, 'a socket broke');
                // The operation is answered, and ends nothing beside it.
                if (id !== undefined) return tell(id, error);
                // A message that only servers send.
                if (/^Unexpected message/.test(error.message))
                  return socket.close(CloseCode.BadRequest, 'Invalid message received');
                log.error({ err: error }, 'a message could not be handled');
                socket.close(CloseCode.InternalServerError, 'Internal server error');
              });
            }),
          ),
      },
      known,
    );
    socket.once('close', (code, reason) => {
      clearInterval(pings);
      closed(code, String(reason)).catch((error) => log.error({ err: error }, 'a socket could not be cleared away'));
    });
  });
}

/**
 * Hands messages on. graphql-ws keeps its books by id, and forgets an id when its client completes it, though the
 * operation is still being cleared away: one that begins with that id meanwhile would be taken for it, and neither
 * would ever be released. It therefore waits until the one before is gone.
 */
function oneAfterAnother(
  socket: WebSocket,
  flow: Flow,
  take: (text: string, id?: string, malformed?: string) => Promise<void>,
): (data: RawData, isBinary: boolean) => void {
  const running = new Set<string>();
  /** What begins after an operation that its client has completed, if anything, by the operation's id. */
  const next = new Map<string, { text: string; release: Release } | null>();

  const begin = (id: string, text: string) => {
    if (running.has(id)) return void take(text);
    running.add(id);
    flow.begin(id, text.length);
    void take(text, id).then(() => {
      running.delete(id);
      flow.end(id);
      const waiting = next.get(id);
      next.delete(id);
      waiting?.release();
      if (waiting && socket.readyState === socket.OPEN) begin(id, waiting.text);
    });
  };

  const handOn = (given: string) => {
    const { type, id, text, malformed } = operationOf(given);
    // It is answered and never begun. Of an id that is in use no other operation is told anything: the socket closes.
    if (malformed !== undefined && id !== undefined && !running.has(id)) return void take(text, id, malformed);
    if (id === undefined || (type !== MessageType.Subscribe && type !== MessageType.Complete)) return void take(text);
    const waiting = next.get(id);
    if (type === MessageType.Complete) {
      if (running.has(id)) next.set(id, null);
      waiting?.release();
      if (waiting === undefined) void take(text);
    } else if (waiting) socket.close(CloseCode.SubscriberAlreadyExists, 'Subscriber already exists');
    else if (waiting === null) next.set(id, { text, release: flow.hold(text.length) });
    else begin(id, text);
  };

  return (data, isBinary) => {
    // ws has looked at what comes as text: the letters of anything else would be lost.
    if (isBinary && !isUtf8(data as Buffer)) return socket.close(CloseCode.BadRequest, 'Invalid message received');
    handOn(String(data));
    flow.look();
  };
}

/** An operation's message. */
interface OperationMessage {
  type?: unknown;
  id?: string;
  text: string;
  /** Why it is no operation, where something of it is of another form than the protocol asks for. */
  malformed?: string;
}

/**
 * Which operation a message is about. What is no message graphql-ws refuses; it wants a `query` also where the operation
 * names its document by something else.
 */
function operationOf(text: string): OperationMessage {
  try {
    const message = JSON.parse(text) ?? {};
    const { type, id, payload } = message;
    if (typeof id !== 'string') return { text };
    const isNamed = payload?.query === undefined && (payload?.documentId ?? payload?.extensions) !== undefined;
    const whole = isNamed ? { ...message, payload: { ...payload, query: '' } } : message;
    const malformed = type === MessageType.Subscribe && id !== '' ? whyMalformed(whole) : undefined;
    return { type, id, text: isNamed ? JSON.stringify(whole) : text, ...(malformed && { malformed }) };
  } catch {
    return { text };
  }
}

/** Why graphql-ws would close the socket of a client for the form of its operation; undefined where it would not. */
function whyMalformed(message: unknown): string | undefined {
  try {
    validateMessage(message);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
