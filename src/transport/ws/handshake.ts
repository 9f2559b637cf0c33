import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLError } from 'graphql';
import type { ServerOptions, WebSocketServer } from 'ws';
import type { RefusalPace } from '../../cost/refusal-pace.js';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import { networkOf } from '../../lib/network.js';
import { type CallerBounds, isTaken } from '../bounds.js';
import { pathOfTarget } from '../http/app.js';
import { answerOf } from '../http/malformed.js';
import { type Origins, originRefused } from '../origins.js';

/** The version of RFC 6455, the only one. */
const VERSION = 'sec-websocket-version: 13';

/** Judges handshakes that are well formed; what is refused is answered here, and `ws` hears no more of it. */
export function judgeHandshakes(
  origins: Origins,
  bounds: CallerBounds,
  addressOf: (request: IncomingMessage) => string,
  pace: RefusalPace,
): ServerOptions['verifyClient'] {
  const judge = (req: IncomingMessage, answer: (isTaken: boolean) => void) => {
    const { socket } = req;
    if (socket.destroyed) return;
    if (!origins.mayAsk(req))
      return refuseHandshake(socket, 403, codedError(ErrorCode.FORBIDDEN, originRefused(req.headers.origin ?? '')));
    const taken = bounds.takeForAddress('sockets', addressOf(req));
    if (!isTaken(taken)) return refuseHandshake(socket, 429, taken, 'retry-after: 1');
    socket.once('close', taken);
    answer(true);
  };
  return ({ req }, answer) => {
    const wait = pace.wait(refusedAt(addressOf(req)));
    if (wait) void wait.then(() => judge(req, answer));
    else judge(req, answer);
  };
}

/** The key by which an address is paced whose tokens were refused. */
export const refusedAt = (address: string): string => `sockets of ${networkOf(address)}`;

/** Has what `ws` refuses itself told in the form of every error, and the address understood as over HTTP. */
export function answerBadHandshakes(sockets: WebSocketServer): void {
  sockets.shouldHandle = ({ url = '' }) => /^\/graphql(\?|$)/.test(pathOfTarget(url));
  sockets.on('wsClientError', ({ message }: Error, socket: Duplex, { method }: IncomingMessage) => {
    const error = codedError(ErrorCode.BAD_REQUEST, `This is no handshake of a WebSocket: ${message}.`);
    if (method === 'GET') refuseHandshake(socket, 400, error, VERSION);
    else refuseHandshake(socket, 405, error, 'allow: GET');
  });
}

function refuseHandshake(socket: Duplex, status: number, error: GraphQLError, ...headers: string[]): void {
  socket.once('finish', () => socket.destroy());
  socket.end(answerOf(status, { errors: [error.toJSON()] }, ...headers));
}
