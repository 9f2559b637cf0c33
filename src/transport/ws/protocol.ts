import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { GraphQLError } from 'graphql';
import { CloseCode, handleProtocols, MessageType, makeServer, type ServerOptions } from 'graphql-ws';
import type { Logger } from 'pino';
import type { WebSocket, WebSocketServer } from 'ws';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import type { Refusals } from '../../graphql/refusals.js';
import type { Release } from '../bounds.js';
import { Flow } from './flow.js';
import { oneAfterAnother } from './messages.js';

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
  /** Takes a frame of that many bytes: null where it may be handled at once, else what resolves when it may. */
  pace: (known: Known, bytes: number) => Promise<void> | null;
  /** Counts an answer of that many bytes until its client has taken it; null: it is too small to be. */
  hold: (known: Known, bytes: number) => Release | null;
  refusals: Refusals;
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
  { keepAliveMs, tellError, isAcknowledged, pace, hold, refusals, log }: ProtocolOptions<Known>,
): void {
  sockets.options.handleProtocols = handleProtocols;
  const protocol = makeServer(options);
  // Errors of the HTTP server come by here too, such as a taken port: `listen` tells them.
  sockets.on('error', () => undefined);
  sockets.on('connection', (socket, request) => {
    // ws closes it itself, with the code that fits, such as 1009 for a frame that is too large.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket broke'));

    const known = { socket, request } as Known;
    const flow = new Flow(socket, request.socket, (bytes) => pace(known, bytes));
    known.flow = flow;
    const tell = (id: string, error: unknown) =>
      socket.send(JSON.stringify({ id, type: MessageType.Error, payload: tellError(error) }));
    // The last of the pings that wait for their turn is answered, as RFC 6455 has it (5.5.3).
    let pinged: Buffer | null = null;
    let isWaiting = false;
    const answerPing = () => {
      isWaiting = false;
      if (pinged && socket.readyState === socket.OPEN) socket.pong(pinged);
      pinged = null;
      flow.look();
    };
    const control = ({ length }: Buffer) => {
      if (isWaiting) return;
      const turn = flow.turn(length);
      isWaiting = turn !== null;
      if (turn) void turn.then(answerPing);
      else answerPing();
    };
    // What was sent with the ping that is not answered yet: a client that does not read cannot tell it.
    let sent: Buffer | null = null;
    socket.on('pong', (data: Buffer) => {
      if (sent?.equals(data)) sent = null;
      control(data);
    });
    socket.on('ping', (data: Buffer) => {
      pinged = data;
      control(data);
    });
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
            const taken = hold(known, text.length);
            socket.send(text, (error) => {
              taken?.();
              return error ? reject(error) : resolve();
            });
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (hear) => {
          const take = async (text: string, id?: string, malformed?: string) => {
            if (malformed && id !== undefined && isAcknowledged(known))
              return tell(id, codedError(ErrorCode.BAD_REQUEST, malformed));
            return hear(text).catch((error) => {
              if (socket.readyState !== socket.OPEN) return log.debug({ err: error }, 'a socket broke');
              // The operation is answered, and ends nothing beside it.
              if (id !== undefined) return tell(id, error);
              // A message that only servers send.
              if (/^Unexpected message/.test(error.message))
                return socket.close(CloseCode.BadRequest, 'Invalid message received');
              log.error({ err: error }, 'a message could not be handled');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          };
          socket.on(
            'message',
            oneAfterAnother({ socket, flow, refusals, take, isAcknowledged: () => isAcknowledged(known) }),
          );
        },
      },
      known,
    );
    socket.once('close', (code, reason) => {
      clearInterval(pings);
      closed(code, String(reason)).catch((error) => log.error({ err: error }, 'a socket could not be cleared away'));
    });
  });
}
