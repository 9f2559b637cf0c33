import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP line that the test sees, and can cut. */
export interface TestProxy {
  port: number;
  /** What went to the server since it was emptied, as text. */
  sent: string[];
  /** Ends every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Passes nothing on any more, on connections that stay open and on new ones. */
  silence(): void;
  close(): Promise<void>;
}

/** Starts a line to a port of this machine. */
export async function startProxy(target: number): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  const sent: string[] = [];
  let isCut = false;
  let isSilent = false;
  const server = createServer((incoming) => {
    if (isCut) return incoming.destroy();
    const outgoing = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      if (!isSilent) socket.pipe(other);
    }
    incoming.on('data', (data) => sent.push(data.toString('latin1')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    sent,
    cut: () => {
      isCut = true;
      endAll();
    },
    mend: () => {
      isCut = false;
    },
    silence: () => {
      isSilent = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    close: async () => {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}
