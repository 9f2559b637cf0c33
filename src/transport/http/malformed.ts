import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { ErrorCode } from '../../graphql/errors.js';
import type { Refusals } from '../../graphql/refusals.js';
import { type BoundedMessage, TOO_MANY_PIECES } from './bounded-message.js';
import { refusalBody } from './refusal.js';

/** What is answered to bytes that are no request, by what Node calls them. */
const answers: Record<string, [status: number, code: ErrorCode, message: string, bound?: string]> = {
  HPE_HEADER_OVERFLOW: [
    431,
    ErrorCode.LIMIT_EXCEEDED,
    'A request may have 16384 bytes before its body: send a long query as the body of a POST.',
    'headerBytes',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, ErrorCode.BAD_REQUEST, 'The request took too long to arrive.', 'requestTime'],
};
const MALFORMED: (typeof answers)[string] = [400, ErrorCode.BAD_REQUEST, 'This is not a request of HTTP/1.1.'];

/**
 * Answers what Node cannot read as a request, in the form of every error, and closes the connection: where its next
 * request begins is not known.
 */
export function answerMalformed(refusals: Refusals, log: Logger) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    // The client is gone.
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    // The error itself holds what came, and with it perhaps a token.
    log.debug({ code: error.code }, 'not a request');
    const [status, code, message, bound] = answers[error.code ?? ''] ?? MALFORMED;
    if (bound) refusals.note(bound);
    if (socket.writable) socket.write(answerOf(status, refusalBody(code, message, bound ? { limit: bound } : {})));
    socket.destroy(error);
  };
}

/** Answers who asks for a tunnel: Node hangs up on them without a word. */
export function refuseTunnel(_request: IncomingMessage, socket: Duplex): void {
  // The client may be gone before it hears of it.
  socket.on('error', () => socket.destroy());
  socket.end(
    answerOf(405, refusalBody(ErrorCode.BAD_REQUEST, 'No tunnels are made here.'), 'allow: GET, HEAD, OPTIONS, POST'),
  );
}

/** The bytes of an answer of our own making, after which the connection is closed. */
export function answerOf(status: number, content: object, ...headers: string[]): string {
  const body = JSON.stringify(content);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    'cache-control: no-store',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}

/** Cuts off a request that comes in too many pieces: where nothing has been answered yet, it is told why. */
export function cutOff({ socket, answer }: BoundedMessage): void {
  const isDue = answer !== null && answer.socket === socket && !answer.headersSent;
  if (isDue && socket.writable)
    socket.write(answerOf(413, refusalBody(ErrorCode.LIMIT_EXCEEDED, TOO_MANY_PIECES, { limit: 'bodyPieces' })));
  socket.destroy();
}

/** Answers who expects anything other than to be told to go on with a body. */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify(refusalBody(ErrorCode.BAD_REQUEST, 'Nothing but 100-continue is done on expectation.'));
  response.writeHead(417, {
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
