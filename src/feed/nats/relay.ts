import { setTimeout } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { establishIncarnation } from '../../activity-log/incarnation.js';
import { START } from '../../activity-log/position.js';
import { lastPosition, readEntries } from '../../activity-log/read-entries.js';
import type { StreamLimits } from '../../config/nats-config.js';
import { AdvisoryLock } from '../../database/advisory-locks.js';
import { withinTime } from '../../lib/time-limit.js';
import type { Connection } from './connection.js';
import { EntryStream } from './entry-stream.js';
import { encodeHeartbeat, namesOf } from './wire.js';

const BATCH_SIZE = 500;
/** How often the leader says that it relays. */
export const HEARTBEAT_MS = 500;

/** What the relay needs. */
export interface RelayOptions {
  kysely: Kysely<unknown>;
  /** Milliseconds between polls of the database by the leader. */
  pollMs: number;
  limits: StreamLimits;
  connection: Connection;
  /** Whether nobody is heard to relay. */
  isVacant: () => boolean;
  log: Logger;
}

/**
 * Relays the committed order from the database into JetStream: in one process at a time, whichever holds an advisory
 * lock. It reads on the very connection that holds the lock, so that a leader who has lost it reads nothing more; and
 * what such a one still has to publish, the stream refuses (`EntryStream`). Others try for the lock only while no
 * leader is heard: with one, they ask the database nothing.
 */
export class Relay {
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private wake: () => void = () => undefined;
  private isNotified = false;
  private failing = false;
  /** Once the lock is free: so that others take over at once. */
  private sayLast: () => Promise<void> = async () => undefined;
  /** Whether this process relays. */
  leads = false;
  /** Entries that it has relayed so far. */
  relayed = 0;

  constructor(private readonly options: RelayOptions) {}

  start(): void {
    this.running = this.run();
  }

  /** Something was committed, or the lead has become vacant: it polls at once. */
  notify(): void {
    this.isNotified = true;
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { kysely, connection, isVacant, log } = this.options;
    while (!this.stopped.signal.aborted) {
      const nats = connection.current;
      if (nats && isVacant()) {
        try {
          await kysely.connection().execute((database) => this.tryToLead(database, nats));
        } catch (error) {
          if (!this.failing) log.warn({ err: error }, 'relaying the feed failed; whoever can tries again');
          this.failing = true;
          await this.pause(HEARTBEAT_MS);
        }
      }
      // Not all at once.
      await this.pause(HEARTBEAT_MS / 2 + (Math.random() * HEARTBEAT_MS) / 2);
    }
  }

  private async tryToLead(database: Kysely<unknown>, nats: NatsConnection): Promise<void> {
    const { rows } = await sql<{
      locked: boolean;
    }>`select pg_try_advisory_lock(${AdvisoryLock.RELAY}::bigint) as "locked"`.execute(database);
    if (!rows[0]?.locked) return;
    try {
      await this.lead(database, nats);
    } finally {
      try {
        await sql`select pg_advisory_unlock(${AdvisoryLock.RELAY}::bigint)`.execute(database);
      } finally {
        await this.sayLast();
      }
    }
  }

  /** Until the process stops, NATS is out of reach, or something fails. */
  private async lead(database: Kysely<unknown>, nats: NatsConnection): Promise<void> {
    const { connection, limits, log, kysely } = this.options;
    const { id } = await establishIncarnation(kysely);
    const stream = await EntryStream.open(nats, id, limits);
    let position = stream.lastPosition ?? (await lastPosition(database)) ?? START;
    let isCaughtUp = false;
    let beatAt = Number.NEGATIVE_INFINITY;
    const heartbeat = (isLast: boolean) =>
      nats.publish(namesOf(id).heartbeat, encodeHeartbeat({ position, sequence: stream.sequence, isLast }));
    this.leads = true;
    this.sayLast = async () => {
      this.sayLast = async () => undefined;
      if (nats.isClosed() || connection.current !== nats) return;
      heartbeat(true);
      await withinTime(nats.flush(), HEARTBEAT_MS, 'NATS').catch(() => undefined);
    };
    log.info({ stream: namesOf(id).stream }, 'this process relays the feed');
    try {
      while (!this.stopped.signal.aborted && connection.current === nats) {
        this.isNotified = false;
        const entries = await readEntries(database, { after: position, limit: BATCH_SIZE });
        if (entries.length > 0) await stream.append(entries, position);
        position = entries.at(-1) ?? position;
        this.relayed += entries.length;
        this.failing = false;
        isCaughtUp ||= entries.length < BATCH_SIZE;
        if (isCaughtUp && performance.now() - beatAt >= HEARTBEAT_MS) {
          heartbeat(false);
          beatAt = performance.now();
        }
        if (entries.length < BATCH_SIZE && !this.isNotified)
          await this.pause(Math.min(this.options.pollMs, HEARTBEAT_MS));
      }
    } finally {
      this.leads = false;
      log.info('this process relays the feed no longer');
    }
  }

  private async pause(ms: number): Promise<void> {
    if (this.stopped.signal.aborted) return;
    const over = new AbortController();
    this.wake = () => over.abort();
    await setTimeout(ms, undefined, { ref: false, signal: over.signal }).catch(() => undefined);
    this.wake = () => undefined;
  }
}
