import { connect, createServer, type Socket } from 'node:net';

/** A load balancer as simple as can be: connections in turn, no sticky sessions. */
export interface Balancer {
  url: string;
  /** The gateways that it spreads over. */
  use(urls: readonly string[]): void;
  /** Cuts every connection, without a goodbye. */
  cut(): void;
  close(): void;
}

/** Starts one on a free port. Where a gateway does not take a connection, the next one is asked. */
export async function startBalancer(): Promise<Balancer> {
  const lines = new Set<Socket>();
  let ports: number[] = [];
  let turn = 0;
  const open = (client: Socket, tries: number): void => {
    const port = ports[turn++ % Math.max(ports.length, 1)];
    if (port === undefined || tries === 0 || client.destroyed) {
      client.destroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    upstream.once('error', () => {
      if (upstream.bytesRead === 0 && upstream.pending) open(client, tries - 1);
      else client.destroy();
    });
    upstream.once('connect', () => {
      client.pipe(upstream).pipe(client);
      client.once('close', () => upstream.destroy());
      upstream.once('close', () => client.end());
    });
  };
  const server = createServer((client) => {
    lines.add(client);
    client.on('error', () => undefined);
    client.once('close', () => lines.delete(client));
    open(client, ports.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    use: (urls) => {
      ports = urls.map((url) => Number(new URL(url).port));
    },
    cut: () => {
      for (const line of lines) line.resetAndDestroy();
    },
    close: () => {
      server.close();
      for (const line of lines) line.destroy();
    },
  };
}
