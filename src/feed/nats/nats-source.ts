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
import { PULSE_MS, Relay } from './relay.js';
import { decodePulse, namesOf, type Pulse, type RelayedEntry } from './wire.js';

/** Without a pulse for so long nobody relays. */
const SILENCE_MS = 3 * PULSE_MS;
/** What the relay has published and did not arrive for so long is fetched. */
const LAG_MS = 1_000;
/** Entries that may wait to be read. What does not fit is found in the database. */
const MAXIMUM_QUEUE = 10_000;

/** What the source needs. */
export interface NatsSourceOptions extends NatsAddress {
  kysely: Kysely<unknown>;
  /** Milliseconds between looks at the database, of the leader and of whoever hears none. */
  pollMs: number;
  /** Of the database that the feed reads. */
  incarnation: () => string;
  log: Logger;
}

/**
 * The log as one process relays it over NATS JetStream, and the database where that does not reach: at the start,
 * while nobody is heard to relay, and for what the stream has dropped. Each message names the one before it, and each
 * pulse of the relay the last one, so that every gap shows; it is read from the database, up to where the stream goes
 * on.
 */
export class NatsSource implements EntrySource {
  readonly pollMs: number;
  readonly relay: Relay;
  private readonly connection: Connection;
  private look: () => void = () => undefined;
  private queue: RelayedEntry[] = [];
  private pulses: Subscription | null = null;
  private nudges: Subscription | null = null;
  private follower: EntryFollower | null = null;
  private pulse: Pulse | null = null;
  private heardAt = Number.NEGATIVE_INFINITY;
  private behindSince: number | null = null;
  private fillTo: Position | null = null;
  private wasFollowing = false;
  private mayBeAnother = false;
  /** Entries read from the database to close a gap of the stream. */
  filled = 0;

  constructor(private readonly options: NatsSourceOptions) {
    const { url, kysely, pollMs, log } = options;
    this.pollMs = Math.min(pollMs, PULSE_MS);
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

  start(look: () => void): void {
    this.look = look;
    this.connection.start({ up: (connection) => this.listen(connection), down: () => this.hearNothing() });
    this.relay.start();
  }

  async read(after: Position, limit: number): Promise<FeedEntry[]> {
    this.noticeChange();
    if (this.mayBeAnother) {
      setImmediate(this.look);
      return [];
    }
    const news = this.queue.findIndex(({ entry }) => comparePositions(entry, after) > 0);
    this.queue = news < 0 ? [] : this.queue.slice(news);
    if (!this.isFollowing) return readEntries(this.options.kysely, after, {}, limit);
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
    if (this.queue.length > 0 && found.length > 0 && found.length < limit) setImmediate(this.look);
    return found;
  }

  poke(): void {
    if (this.relay.leads) this.relay.poke();
    else if (this.isHeard) this.connection.current?.publish(namesOf(this.options.incarnation()).nudge);
  }

  lostSight(): boolean {
    this.noticeChange();
    const { mayBeAnother } = this;
    this.mayBeAnother = false;
    return mayBeAnother;
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
    const found = await readEntries(this.options.kysely, after, {}, limit, until);
    this.filled += found.length;
    // Nothing more lies between.
    if (found.length < limit && next && this.queue[0] === next) next.previous = found.at(-1) ?? after;
    return found;
  }

  /** How far the stream has not brought and will not bring what follows a position; null where it has or may. */
  private missingUntil(after: Position): Position | null {
    const isAhead = (position?: Position | null) => position != null && comparePositions(position, after) > 0;
    const [next] = this.queue;
    const relayedTo = this.pulse?.position;
    const isBehind = !next && isAhead(relayedTo);
    this.behindSince = isBehind ? (this.behindSince ?? performance.now()) : null;
    if (next) return isAhead(next.previous) ? next.previous : null;
    if (isAhead(this.fillTo)) return this.fillTo;
    if (this.behindSince === null || performance.now() - this.behindSince < LAG_MS) return null;
    // The consumer is of no use any more: the next pulse makes another.
    this.unfollow();
    return relayedTo ?? null;
  }

  private listen(connection: NatsConnection): void {
    this.hearNothing();
    const { pulse, nudge } = namesOf(this.options.incarnation());
    this.pulses = connection.subscribe(pulse, {
      callback: (error, message) => {
        const heard = error ? null : decodePulse(message.string());
        if (heard) this.hear(heard, connection);
      },
    });
    this.nudges = connection.subscribe(nudge, {
      callback: () => {
        if (this.relay.leads) this.relay.poke();
      },
    });
  }

  private hear(pulse: Pulse, connection: NatsConnection): void {
    this.pulse = pulse;
    this.heardAt = pulse.isLast ? Number.NEGATIVE_INFINITY : performance.now();
    if (pulse.isLast) this.relay.poke();
    else if (!this.follower) {
      this.fillTo = pulse.position;
      const { stream } = namesOf(this.options.incarnation());
      this.follower = new EntryFollower(connection, stream, pulse.sequence, {
        entry: (entry) => this.take(entry),
        changed: () => this.look(),
        ended: () => this.unfollow(),
      });
    }
    this.look();
  }

  private take(entry: RelayedEntry): void {
    this.queue.push(entry);
    if (this.queue.length > MAXIMUM_QUEUE) this.queue.splice(0, MAXIMUM_QUEUE / 2);
    this.look();
  }

  private hearNothing(): void {
    this.heardAt = Number.NEGATIVE_INFINITY;
    this.pulse = null;
    this.pulses?.unsubscribe();
    this.nudges?.unsubscribe();
    this.pulses = null;
    this.nudges = null;
    this.unfollow();
    this.look();
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
      this.mayBeAnother = true;
      this.options.log.warn('the feed polls PostgreSQL: nothing comes over NATS');
    }
  }
}
