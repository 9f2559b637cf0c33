import type { WebSocket } from 'ws';

/** What must be answered before a socket may be closed, by socket. */
export class InFlight {
  private readonly bySocket = new WeakMap<WebSocket, Set<Promise<unknown>>>();

  /** Notes what a socket waits for. */
  add(socket: WebSocket, answer: Promise<unknown>): void {
    const answers = this.bySocket.get(socket) ?? new Set();
    this.bySocket.set(socket, answers.add(answer));
    const done = () => void answers.delete(answer);
    answer.then(done, done);
  }

  /** Resolves when a socket has been answered all that it waits for now. */
  async settled(socket: WebSocket): Promise<void> {
    await Promise.allSettled(this.bySocket.get(socket) ?? []);
  }
}
