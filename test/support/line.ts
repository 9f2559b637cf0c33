import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestGateway } from './gateway.js';

/** A TCP connection to a gateway. */
export interface Line {
  socket: Socket;
  /** What has come over it so far. */
  heard(): string;
  closed: Promise<unknown>;
}

/** Opens a connection that says what it is told, and keeps what it hears. */
export async function openLine({ url }: TestGateway, text = ''): Promise<Line> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let heard = '';
  socket.on('data', (data) => {
    heard += String(data);
  });
  await once(socket, 'connect');
  socket.write(text);
  return { socket, heard: () => heard, closed };
}
