import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { type FeedEntry } from '../../activity-log/entry.js';
import { comparePositions, type Position } from '../../activity-log/position.js';
import { readEntries } from '../../activity-log/read-entries.js';
import type { NatsAddress } from '../../config/nats-config.js';
import type { EntrySource } from '../entry-source.js';
import { Connection } from './connection.js';
import { EntryFollower } from './entry-follower.js';
import { HEARTBEAT_MS, Relay } from './relay.js';
import { decodeHeartbeat, type Heartbeat, namesOf, type RelayedEntry } from './wire.js';

/** Without a heartbeat for so long nobody relays. */
const SILENCE_MS = 3 * HEARTBEAT_MS;
/** What the relay has published and did not arrive for so long is fetched. */
const LAG_MS = 1_000;
/** Entries that may wait to be read. What does not fit is found in the database. */
const MAXIMUM_QUEUE = 10_000;

/** What the source needs. */
export interface NatsSourceOptions extends NatsAddress {
  kysely: Kysely<unknown>;
  /** Milliseconds between polls of the database, by the leader and by whoever hears none. */
  pollMs: number;
  /** The incarnation of the database that the feed reads. */
  incarnation: () => string;
  log: Logger;
}

/**
 * The log as one process relays it over NATS JetStream, and the database where that does not reach: at the start,
 * while nobody is heard to relay, and for what the stream has dropped. Each message names the one before it, and each
 * heartbeat of the relay the last one, so that every gap shows; it is read from the database, up to where the stream goes
 * on.
 */
export class NatsSource implements EntrySource {
  readonly pollMs: number;
  readonly relay: Relay;
  private readonly connection: Connection;
  private poll: () => void = () => undefined;
  private queue: RelayedEntry[] = [];
  private heartbeats: Subscription | null = null;
  private notices: Subscription | null = null;
  private follower: EntryFollower | null = null;
  private heartbeat: Heartbeat | null = null;
  private heardAt = Number.NEGATIVE_INFINITY;
  private behindSince: number | null = null;
  private fillTo: Position | null = null;
  private wasFollowing = false;
  mayHaveFailedOver = false;
  /** Entries read from the database to close a gap of the stream. */
  filled = 0;

  constructor(private readonly options: NatsSourceOptions) {
    const { url, kysely, pollMs, log } = options;
    this.pollMs = Math.min(pollMs, HEARTBEAT_MS);
    this.connection = new Connection(url, log);
    this.relay = new Relay({
      kysely,
      pollMs,
      limits: options,
      log,
      connection: this.connection,
      isVacant: () => !this.isHeard,
    });
  }

  /** Whether entries come over NATS; else the database is polled. */
  get isFollowing(): boolean {
    return this.isHeard && this.follower?.isOpen === true;
  }

  private get isHeard(): boolean {
    return this.connection.current !== null && performance.now() - this.heardAt < SILENCE_MS;
  }

  start(poll: () => void): void {
    this.poll = poll;
    this.connection.start({ up: (connection) => this.listen(connection), down: () => this.hearNothing() });
    this.relay.start();
  }

  async read(after: Position, limit: number): Promise<FeedEntry[]> {
    this.noticeChange();
    if (this.mayHaveFailedOver) {
      setImmediate(this.poll);
      return [];
    }
    const news = this.queue.findIndex(({ entry }) => comparePositions(entry, after) > 0);
    this.queue = news < 0 ? [] : this.queue.slice(news);
    if (!this.isFollowing) return readEntries(this.options.kysely, { after, limit });
    const found = await this.fill(after, limit);
    let position = found.at(-1) ?? after;
    while (found.length < limit) {
      const [next] = this.queue;
      if (!next) break;
      if (comparePositions(next.entry, position) > 0) {
        if (comparePositions(next.previous, position) > 0) break;
        found.push(next.entry);
        position = next.entry;
      }
      this.queue.shift();
    }
    // A gap before the next one: `fill` closes it.
    if (this.queue.length > 0 && found.length > 0 && found.length < limit) setImmediate(this.poll);
    return found;
  }

  notify(): void {
    if (this.relay.leads) this.relay.notify();
    else if (this.isHeard) this.connection.current?.publish(namesOf(this.options.incarnation()).notice);
  }

  confirmDatabase(): void {
    this.mayHaveFailedOver = false;
  }

  restart(): void {
    this.hearNothing();
    this.queue = [];
    if (this.connection.current) this.listen(this.connection.current);
  }

  async stop(): Promise<void> {
    await this.relay.stop();
    const { follower } = this;
    this.hearNothing();
    await follower?.over;
    await this.connection.stop();
  }

  /** What the database has between a position and where the stream goes on, or the relay stands. */
  private async fill(after: Position, limit: number): Promise<FeedEntry[]> {
    const [next] = this.queue;
    const until = this.missingUntil(after);
    if (!until) return [];
    const found = await readEntries(this.options.kysely, { after, until, limit });
    this.filled += found.length;
    // Nothing more lies between.
    if (found.length < limit && next && this.queue[0] === next) next.previous = found.at(-1) ?? after;
    return found;
  }

  /** How far the stream has not brought and will not bring what follows a position; null where it has or may. */
  private missingUntil(after: Position): Position | null {
    const isAhead = (position?: Position | null) => position != null && comparePositions(position, after) > 0;
    const [next] = this.queue;
    const relayedTo = this.heartbeat?.position;
    const isBehind = !next && isAhead(relayedTo);
    this.behindSince = isBehind ? (this.behindSince ?? performance.now()) : null;
    if (next) return isAhead(next.previous) ? next.previous : null;
    if (isAhead(this.fillTo)) return this.fillTo;
    if (this.behindSince === null || performance.now() - this.behindSince < LAG_MS) return null;
    // The consumer is of no use any more: the next heartbeat makes another.
    this.unfollow();
    return relayedTo ?? null;
  }

  private listen(connection: NatsConnection): void {
    this.hearNothing();
    const { heartbeat, notice } = namesOf(this.options.incarnation());
    this.heartbeats = connection.subscribe(heartbeat, {
      callback: (error, message) => {
        const heard = error ? null : decodeHeartbeat(message.string());
        if (heard) this.hear(heard, connection);
      },
    });
    this.notices = connection.subscribe(notice, {
      callback: () => {
        if (this.relay.leads) this.relay.notify();
      },
    });
  }

  private hear(heartbeat: Heartbeat, connection: NatsConnection): void {
    this.heartbeat = heartbeat;
    this.heardAt = heartbeat.isLast ? Number.NEGATIVE_INFINITY : performance.now();
    if (heartbeat.isLast) this.relay.notify();
    else if (!this.follower) {
      this.fillTo = heartbeat.position;
      const { stream } = namesOf(this.options.incarnation());
      this.follower = new EntryFollower(connection, stream, heartbeat.sequence, {
        entry: (entry) => this.take(entry),
        changed: () => this.poll(),
        ended: () => this.unfollow(),
      });
    }
    this.poll();
  }

  private take(entry: RelayedEntry): void {
    this.queue.push(entry);
    if (this.queue.length > MAXIMUM_QUEUE) this.queue.splice(0, MAXIMUM_QUEUE / 2);
    this.poll();
  }

  private hearNothing(): void {
    this.heardAt = Number.NEGATIVE_INFINITY;
    this.heartbeat = null;
    this.heartbeats?.unsubscribe();
    this.notices?.unsubscribe();
    this.heartbeats = null;
    this.notices = null;
    this.unfollow();
    this.poll();
  }

  private unfollow(): void {
    this.follower?.close();
    this.follower = null;
    this.behindSince = null;
  }

  private noticeChange(): void {
    const isFollowing = this.isFollowing;
    if (isFollowing === this.wasFollowing) return;
    this.wasFollowing = isFollowing;
    if (isFollowing) this.options.log.info('the feed follows NATS');
    else {
      this.mayHaveFailedOver = true;
      this.options.log.warn('the feed polls PostgreSQL: nothing comes over NATS');
    }
  }
}
