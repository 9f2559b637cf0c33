import type { Writable } from 'node:stream';

/** What can be written to, and may not take it: a socket, a response. */
type Connection = Pick<Writable, 'destroyed' | 'writableNeedDrain' | 'on' | 'off'>;

/** Resolves when a connection has taken what was written to it, or is gone. */
export function flushed(connection: Connection): Promise<void> {
  if (connection.destroyed || !connection.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      connection.off('drain', done);
      connection.off('close', done);
      resolve();
    };
    connection.on('drain', done);
    connection.on('close', done);
  });
}
