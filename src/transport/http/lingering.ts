import type { Socket } from 'node:net';

/** What is still taken of a request that is answered already, and for how long. */
const MAXIMUM_BYTES = 64 * 1024;
const MAXIMUM_MS = 1_000;

/**
 * Has a connection closed, once its answer has gone, though its client still sends: taken are a few bytes more and no
 * longer read as a request, then it is read no further, and soon it is cut. A connection that is cut at once loses the
 * answer: the client's system throws it away with everything that it could not deliver.
 */
export function lingers(socket: Socket): void {
  // Node calls it when the answer has gone.
  socket.destroySoon = () => {
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), MAXIMUM_MS).unref();
    socket.once('close', () => clearTimeout(timer));
    // With a listener of our own its bytes come by here, and not by the parser.
    socket.removeAllListeners('data');
    let left = MAXIMUM_BYTES;
    socket.on('data', ({ length }: Buffer) => {
      left -= length;
      if (left <= 0) socket.pause();
    });
    socket.end();
    socket.resume();
  };
}
