import type { IncomingMessage } from 'node:http';
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import type { Logger } from 'pino';
import type { WebSocket, WebSocketServer } from 'ws';

/** What the protocol knows of a socket. */
export interface Line extends Record<PropertyKey, unknown> {
  socket: WebSocket;
  request: IncomingMessage;
}

/**
 * Speaks graphql-transport-ws on the sockets of a server, and pings them. Sockets break every day: graphql-ws' own
 * adapter writes each time to standard error, this one tells the log what is worth telling.
 */
export function speakProtocol<Known extends Line>(
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
          socket.on('message', (data) => {
            take(String(data)).catch((error) => {
              if (socket.readyState !== socket.OPEN) return log.debug({ err: error }, 'a socket broke');
              // A message that only servers send.
              if (/^Unexpected message/.test(error.message))
                return socket.close(CloseCode.BadRequest, 'Invalid message received');
              log.error({ err: error }, 'a message could not be handled');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          }),
      },
      { socket, request } as Known,
    );
    socket.once('close', (code, reason) => {
      clearInterval(pings);
      closed(code, String(reason)).catch((error) => log.error({ err: error }, 'a socket could not be cleared away'));
    });
  });
}
