import { setTimeout } from 'node:timers/promises';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';

const RETRY_MS = 500;
/** Longest wait for an answer of the server. */
const PATIENCE_MS = 3_000;

/** Hears whether the server can be reached. */
export interface Listener {
  up(connection: NatsConnection): void;
  down(): void;
}

/**
 * The connection of this process to NATS, made again for ever. What it says in the log names servers, never users: the
 * credentials of `NATS_URL` go to the library apart from the addresses.
 */
export class Connection {
  /** Null while the server is out of reach. */
  current: NatsConnection | null = null;
  private open: NatsConnection | null = null;
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private toldOutOfReach = false;

  constructor(
    private readonly url: string,
    private readonly log: Logger,
  ) {}

  start(listener: Listener): void {
    this.running = this.run(listener);
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.open?.close();
    await this.running;
  }

  private async run(listener: Listener): Promise<void> {
    while (!this.stopped.signal.aborted) {
      try {
        this.open = await connect(optionsOf(this.url));
        if (this.stopped.signal.aborted) return await this.open.close();
        this.becomeUp(this.open, listener);
        await this.follow(this.open, listener);
      } catch (error) {
        this.tellOutOfReach(error);
      }
      this.becomeDown(listener);
      await setTimeout(RETRY_MS, undefined, { ref: false, signal: this.stopped.signal }).catch(() => undefined);
    }
  }

  /** Until it is closed for good. */
  private async follow(connection: NatsConnection, listener: Listener): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'staleConnection') {
        this.tellOutOfReach();
        this.becomeDown(listener);
      } else if (type === 'reconnect') this.becomeUp(connection, listener);
      else if (type === 'close') break;
    }
    await connection.closed();
  }

  private becomeUp(connection: NatsConnection, listener: Listener): void {
    this.toldOutOfReach = false;
    this.current = connection;
    this.log.info({ server: connection.getServer() }, 'connected to NATS');
    listener.up(connection);
  }

  private becomeDown(listener: Listener): void {
    if (!this.current) return;
    this.current = null;
    listener.down();
  }

  private tellOutOfReach(error?: unknown): void {
    if (this.toldOutOfReach || this.stopped.signal.aborted) return;
    this.toldOutOfReach = true;
    this.log.warn(
      { reason: error instanceof Error ? error.message : 'disconnected' },
      'NATS is out of reach: the feed polls PostgreSQL until it is back',
    );
  }
}

/** What the library wants to know. Several addresses are joined by commas; the first one's credentials are for all. */
function optionsOf(url: string): ConnectionOptions {
  const addresses = url.split(',').map((address) => new URL(address));
  const [{ username, password, protocol }] = addresses as [URL];
  const user = decodeURIComponent(username);
  return {
    servers: addresses.map(({ host }) => host),
    name: 'csp-graph',
    timeout: PATIENCE_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_MS,
    reconnectJitter: 100,
    ignoreAuthErrorAbort: true,
    // A request that waits for a server that is gone should fail, not wait for its return.
    pingInterval: 5_000,
    maxPingOut: 2,
    ...(protocol === 'tls:' ? { tls: {} } : {}),
    ...(user && password ? { user, pass: decodeURIComponent(password) } : user ? { token: user } : {}),
  };
}
