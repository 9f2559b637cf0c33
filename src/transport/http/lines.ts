import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { InTurn } from './callers.js';
import { onceClosed } from './once-closed.js';

/** Requests of one connection that run at once; those that it has sent beside them wait. */
const AT_ONCE = 16;

type Exchange = [request: IncomingMessage, response: ServerResponse];

/** A connection, and what it has asked. */
interface Line {
  running: Set<ServerResponse>;
  waiting: Exchange[];
  /** What begins once the client has taken what it was answered. */
  untaken: (() => void)[];
}

/**
 * The connections of a server, each with the requests that run on it. A client may send the next before the one before is
 * answered, and a thousand fit into what is read at once: they begin a few at a time, and nothing is read meanwhile.
 */
export class Lines {
  private readonly lines = new Map<Socket, Line>();
  private isClosing = false;

  /**
   * @param isTaken whether a new connection is taken
   * @param inTurn begins a request when its caller's turn comes
   * @param noteMany hears of each sixteen more requests that wait on one connection
   */
  constructor(
    server: Server,
    isTaken: (socket: Socket) => boolean,
    private readonly inTurn: InTurn,
    private readonly noteMany: (socket: Socket) => void,
  ) {
    server.on('connection', (socket: Socket) => {
      if (this.isClosing || !isTaken(socket)) return void socket.destroy();
      const line: Line = { running: new Set(), waiting: [], untaken: [] };
      this.lines.set(socket, line);
      socket.on('drain', () => {
        for (const start of line.untaken.splice(0)) start();
      });
      socket.once('close', () => this.forget(socket, line));
    });
    const handlers = server.listeners('request') as ((...exchange: Exchange) => void)[];
    server.removeAllListeners('request');
    server.on('request', (...exchange: Exchange) => this.take(exchange, handlers));
  }

  /** Closes connections on which no request runs, now and as they come: a gateway that stops does not wait for them. */
  closeIdle(): void {
    this.isClosing = true;
    for (const [socket, { running }] of this.lines) if (running.size === 0) socket.destroy();
  }

  private take(exchange: Exchange, handlers: ((...exchange: Exchange) => void)[]): void {
    const [{ socket }] = exchange;
    const line = this.lines.get(socket);
    // The connection is gone, and nobody reads the answer.
    if (!line) return;
    if (line.running.size < AT_ONCE) this.begin(line, exchange, handlers);
    else {
      line.waiting.push(exchange);
      socket.pause();
      if (line.waiting.length % AT_ONCE === 0) this.noteMany(socket);
    }
  }

  private begin(line: Line, exchange: Exchange, handlers: ((...exchange: Exchange) => void)[]): void {
    const [request, response] = exchange;
    const { socket } = request;
    line.running.add(response);
    onceClosed(response, () => {
      line.running.delete(response);
      const next = line.waiting.shift();
      if (!next) return;
      // Others have their turn first.
      setImmediate(() => {
        if (this.lines.has(socket)) this.begin(line, next, handlers);
      });
      if (line.waiting.length === 0) socket.resume();
    });
    const start = () =>
      this.inTurn(request, () => {
        if (response.closed || response.destroyed) return;
        // The answers before it wait for the client: one more would only wait beside them.
        if (socket.writableNeedDrain) line.untaken.push(start);
        else for (const handler of handlers) handler(...exchange);
      });
    start();
  }

  /** Node tells only the first of the answers that its connection is gone. */
  private forget(socket: Socket, line: Line): void {
    this.lines.delete(socket);
    line.waiting.length = 0;
    line.untaken.length = 0;
    for (const response of line.running) {
      if (response.closed) continue;
      response.destroy();
      response.emit('close');
    }
  }
}
