import type { IncomingMessage } from 'node:http';
import { CloseCode, handleProtocols, MessageType, makeServer, type ServerOptions } from 'graphql-ws';
import type { Logger } from 'pino';
import type { WebSocket, WebSocketServer } from 'ws';

/** What the protocol knows of a socket. */
export interface SocketContext extends Record<PropertyKey, unknown> {
  socket: WebSocket;
  request: IncomingMessage;
}

/**
 * Speaks graphql-transport-ws on the sockets of a server, and pings them. Sockets break every day: graphql-ws' own
 * adapter writes each time to standard error, this one tells the log what is worth telling.
 */
export function speakProtocol<Known extends SocketContext>(
  sockets: WebSocketServer,
  options: ServerOptions<Record<string, unknown>, Known>,
  keepAliveMs: number,
  log: Logger,
): void {
  sockets.options.handleProtocols = handleProtocols;
  const protocol = makeServer(options);
  // Errors of the HTTP server come by here too, such as a taken port: `listen` tells them.
  sockets.on('error', () => undefined);
  sockets.on('connection', (socket, request) => {
    // ws closes it itself, with the code that fits, such as 1009 for a frame that is too large.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket broke'));

    let isAnswered = true;
    socket.on('pong', () => {
      isAnswered = true;
    });
    const pings = setInterval(() => {
      if (!isAnswered) return socket.terminate();
      isAnswered = false;
      socket.ping();
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
            oneAfterAnother(socket, (text) =>
              take(text).catch((error) => {
                if (socket.readyState !== socket.OPEN) return log.debug({ err: error }, 'a socket broke');
                // A message that only servers send.
                if (/^Unexpected message/.test(error.message))
                  return socket.close(CloseCode.BadRequest, 'Invalid message received');
                log.error({ err: error }, 'a message could not be handled');
                socket.close(CloseCode.InternalServerError, 'Internal server error');
              }),
            ),
          ),
      },
      { socket, request } as Known,
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
function oneAfterAnother(socket: WebSocket, take: (text: string) => Promise<void>): (data: unknown) => void {
  const running = new Map<string, Promise<void>>();
  /** What begins after an operation that its client has completed, if anything, by the operation's id. */
  const next = new Map<string, string | null>();

  const begin = (id: string, text: string) => {
    const done = take(text);
    if (running.has(id)) return;
    running.set(id, done);
    void done.then(() => {
      running.delete(id);
      const waiting = next.get(id);
      next.delete(id);
      if (waiting && socket.readyState === socket.OPEN) begin(id, waiting);
    });
  };

  return (data) => {
    const { type, id, text } = operationOf(String(data));
    if (id === undefined || (type !== MessageType.Subscribe && type !== MessageType.Complete)) return void take(text);
    const waiting = next.get(id);
    if (type === MessageType.Complete) {
      if (running.has(id)) next.set(id, null);
      if (waiting === undefined) void take(text);
    } else if (waiting) socket.close(CloseCode.SubscriberAlreadyExists, 'Subscriber already exists');
    else if (waiting === null) next.set(id, text);
    else begin(id, text);
  };
}

/**
 * Which operation a message is about. What is no message graphql-ws refuses; it wants a `query` also where the operation
 * names its document by something else.
 */
function operationOf(text: string): { type?: unknown; id?: string; text: string } {
  try {
    const message = JSON.parse(text) ?? {};
    const { type, id, payload } = message;
    if (typeof id !== 'string') return { text };
    const isNamed = payload?.query === undefined && (payload?.documentId ?? payload?.extensions) !== undefined;
    return { type, id, text: isNamed ? JSON.stringify({ ...message, payload: { ...payload, query: '' } }) : text };
  } catch {
    return { text };
  }
}
