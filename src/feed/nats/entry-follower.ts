import { type ConsumerMessages, DeliverPolicy, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { decodeEntry, type RelayedEntry } from './wire.js';

/** Hears what the stream has. */
export interface FollowerListener {
  entry(entry: RelayedEntry): void;
  /** It is open. */
  changed(): void;
  /** It is over, and another one is needed. */
  ended(): void;
}

/** An ordered consumer of the stream: everything after a message, then live. */
export class EntryFollower {
  private messages: ConsumerMessages | null = null;
  private isClosed = false;
  /** Resolves when nothing more of it is on the server. */
  readonly over: Promise<void>;

  constructor(
    connection: NatsConnection,
    stream: string,
    afterSequence: number,
    private readonly listener: FollowerListener,
  ) {
    this.over = this.open(connection, stream, afterSequence).catch(() => this.end());
  }

  /** Whether entries come. */
  get isOpen(): boolean {
    return this.messages !== null && !this.isClosed;
  }

  close(): void {
    this.isClosed = true;
    void this.messages?.close();
  }

  private async open(connection: NatsConnection, stream: string, afterSequence: number): Promise<void> {
    const consumer = await jetstream(connection).consumers.get(stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: afterSequence + 1,
    });
    if (this.isClosed) return void (await consumer.delete());
    this.messages = await consumer.consume({ max_messages: 1_000, abort_on_missing_resource: true });
    if (this.isClosed) return void (await this.messages.close());
    this.listener.changed();
    try {
      for await (const message of this.messages) {
        if (this.isClosed) break;
        this.listener.entry(decodeEntry(message.string()));
      }
    } finally {
      void this.messages.close();
      await consumer.delete().catch(() => undefined);
    }
    this.end();
  }

  private end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.listener.ended();
  }
}
