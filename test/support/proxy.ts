import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

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

/** Lines to a port of this machine, and how all of them end. */
export interface Lines {
  port: number;
  sockets: ReadonlySet<Socket>;
  endAll(): void;
  close(): Promise<void>;
}

/**
 * Listens for lines to a port of this machine. Where one end of a line closes, so does the other.
 * @param join hands on what the two ends say; null: no line is taken now
 */
export async function openLines(
  target: number,
  join: () => ((client: Socket, server: Socket) => void) | null,
): Promise<Lines> {
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const joined = join();
    if (!joined) return client.destroy();
    const server = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    joined(client, server);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    sockets,
    endAll,
    close: async () => {
      endAll();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** Starts a line to a port of this machine. */
export async function startProxy(target: number): Promise<TestProxy> {
  const sent: string[] = [];
  let isCut = false;
  let isSilent = false;
  const join = (client: Socket, server: Socket) => {
    if (!isSilent) {
      client.pipe(server);
      server.pipe(client);
    }
    client.on('data', (data) => sent.push(data.toString('latin1')));
  };
  const { port, sockets, endAll, close } = await openLines(target, () => (isCut ? null : join));
  return {
    port,
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
    close,
  };
}
