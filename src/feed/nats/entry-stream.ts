import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { type FeedEntry } from '../../activity-log/entry.js';
import type { Position } from '../../activity-log/position.js';
import type { StreamLimits } from '../../config/nats-config.js';
import { decodeEntry, encodeEntry, namesOf, textOf } from './wire.js';

const DUPLICATE_WINDOW_MS = 120_000;
const NAME_IN_USE = 10_058;

/**
 * The stream as its writer sees it. Every message says after which one it must come: of two writers that both think
 * they lead, the one that does not know the other's last message is refused. What is in the stream already, because a
 * relay died before it heard so, is not there twice.
 */
export class EntryStream {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
    private readonly incarnation: string,
    /** Number of the last message known. */
    public sequence: number,
    /** Position of the last message, null where none is kept. */
    readonly lastPosition: Position | null,
  ) {}

  /** Finds the stream of an incarnation, or makes it, and where it ends. */
  static async open(connection: NatsConnection, incarnation: string, limits: StreamLimits): Promise<EntryStream> {
    const manager = await jetstreamManager(connection);
    const { stream, entries } = namesOf(incarnation);
    const config = {
      name: stream,
      subjects: [entries],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_age: nanos(limits.maxAgeMs),
      max_bytes: limits.maxBytes,
      duplicate_window: nanos(Math.min(DUPLICATE_WINDOW_MS, limits.maxAgeMs)),
    };
    const { state } = await manager.streams.add(config).catch((error: unknown) => {
      // It is there with the limits of before.
      if (error instanceof JetStreamApiError && error.code === NAME_IN_USE)
        return manager.streams.update(stream, config);
      throw error;
    });
    const last = state.messages > 0 ? await manager.streams.getMessage(stream, { seq: state.last_seq }) : null;
    return new EntryStream(
      connection,
      manager,
      incarnation,
      state.last_seq,
      last ? decodeEntry(last.string()).entry : null,
    );
  }

  /**
   * Adds entries that follow a position in the log.
   * @throws where another has written in between, or the server does not confirm: what got in is seen by opening again
   */
  async append(entries: readonly FeedEntry[], after: Position): Promise<void> {
    const client = jetstream(this.connection, this.manager.getOptions());
    const { stream, entries: subject } = namesOf(this.incarnation);
    const from = this.sequence;
    const confirmed = await Promise.allSettled(
      entries.map(async (entry, index) => {
        const before = entries[index - 1];
        const { seq } = await client.publish(subject, encodeEntry({ previous: before ?? after, entry }), {
          msgID: textOf(entry),
          // They are on their way together. Where one is refused, the number alone would let a later one in after
          // another writer's message.
          expect: { streamName: stream, lastSequence: from + index, ...(before ? { lastMsgID: textOf(before) } : {}) },
        });
        // Known already, under another number.
        if (seq !== from + index + 1) throw new Error('the stream has another message there');
      }),
    );
    const failed = confirmed.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    this.sequence = from + entries.length;
  }
}
