import { setTimeout } from 'node:timers/promises';
import type { FeedEntry } from '../../activity-log/entry.js';
import type { EntryFilter } from '../../activity-log/entry-filter.js';
import { cursorExpired } from '../../activity-log/feed-cursors.js';
import { comparePositions, type Position } from '../../activity-log/position.js';
import { AbortFlag } from '../../lib/abort-flag.js';
import type { Turns } from '../../lib/turns.js';
import type { FeedServices } from '../feed-services.js';
import type { Replay } from '../replay.js';
import { ENTRIES_AT_ONCE, type ReplayTurns } from './replay-turns.js';
import { EntryTooExpensive, RETRY_MS, tooExpensive } from './retry.js';
import type { Shared } from './shared.js';
import { type Render, SharedTexts } from './shared-texts.js';
import { Batch, type RenderedEntry, slicesOf } from './sink.js';
import type { Subscriber } from './subscriber.js';
import type { SubscriberState } from './subscriber-state.js';

/** The first message goes out at once, those of the next milliseconds together: few writes, and no delay when few come. */
const BATCH_MS = 20;

/** What a shared subscription needs. */
export interface SharedSubscriptionOptions {
  services: FeedServices;
  filter: EntryFilter;
  render: Render;
  /** Hears how many messages were delivered. */
  onDelivered: (messages: number) => void;
  /** Hears that the last subscriber has gone. */
  onEmpty: () => void;
  /** Who began it: it takes their turn where it must read the table. */
  user: string;
  /** Lets those that catch up read and render a piece at a time. */
  replays: ReplayTurns;
  /** Whose turn it is. */
  name: string;
  /** Lets those that hear of the same entry render it one after the other. */
  turns: Turns;
}

/** Subscribers who get the same texts: same document, variables, roles and tenant. */
export class SharedSubscription implements Shared {
  private readonly subscribers = new Set<Subscriber>();
  private readonly closed = new AbortController();
  private pending: RenderedEntry[] = [];
  private gathering: NodeJS.Timeout | undefined;
  private readTo: Position;
  private lastSaid = Date.now();
  private isWaiting = false;
  private readonly generation: number;
  readonly abort = new AbortFlag();
  readonly services: FeedServices;
  readonly filter: EntryFilter;
  readonly replays: ReplayTurns;
  private readonly replay: Replay;
  readonly texts: SharedTexts;
  position: Position;

  constructor(private readonly options: SharedSubscriptionOptions) {
    const { services, filter, replays, render, user } = options;
    const { feed, feedCursors } = services;
    this.services = services;
    this.filter = filter;
    this.replays = replays;
    this.replay = feed.replay({ users: [user], cost: 0, abort: this.abort });
    this.position = feed.position;
    this.readTo = feed.position;
    this.generation = feed.generation;
    this.texts = new SharedTexts(render, (entry) => feedCursors.encode(entry));
    void this.run();
  }

  /** How many subscribers there are, and how many of them are in a state. */
  count(state?: SubscriberState): number {
    return state === undefined ? this.subscribers.size : this.inState(state).length;
  }

  /** Takes a new subscriber, who catches up first. */
  add(subscriber: Subscriber): void {
    this.subscribers.add(subscriber);
    void subscriber.catchUp();
  }

  remove(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber);
    if (this.subscribers.size > 0) return;
    this.closed.abort();
    this.abort.abort();
    clearTimeout(this.gathering);
    this.options.onEmpty();
  }

  private inState(state: SubscriberState): Subscriber[] {
    return [...this.subscribers].filter((subscriber) => subscriber.state === state);
  }

  private async run(): Promise<void> {
    const { feed, config, log } = this.services;
    const { signal } = this.closed;
    // The first subscriber comes after the constructor.
    await Promise.resolve();
    while (!signal.aborted) {
      if (this.generation !== feed.generation) {
        for (const subscriber of this.inState('live')) subscriber.end(cursorExpired('after'));
        return;
      }
      try {
        this.services.revocations.requireCurrent();
        await this.readNext();
        this.isWaiting = false;
        if (feed.isDraining) return await this.drain();
      } catch (error) {
        if (signal.aborted) return;
        // None of them can have the entry that comes next.
        if (error instanceof EntryTooExpensive) return this.endAll(() => tooExpensive(error));
        // Nobody loses anything: they stay, and what could not be read is read later.
        if (!this.isWaiting)
          log.error({ err: error }, 'subscribers wait: the feed could not be read for them; it tries again');
        this.isWaiting = true;
        // Neither waits for what cannot be read.
        this.revokeWhoMust();
        if (feed.isDraining) return await this.drain().catch((failure) => this.endAll(() => failure));
        await setTimeout(RETRY_MS, undefined, { ref: false });
        continue;
      }
      if (comparePositions(this.readTo, feed.position) < 0) continue;
      const quietFor = Date.now() - this.lastSaid;
      if (quietFor >= config.feedCheckpointMs) await this.sayCheckpoint();
      else await feed.changed(signal, config.feedCheckpointMs - quietFor);
    }
  }

  private endAll(error: () => Error): void {
    for (const subscriber of [...this.subscribers]) subscriber.end(error());
  }

  private async readNext(): Promise<void> {
    const next = await this.services.feed.after(this.readTo, this.filter, this.replay);
    // The entry of a revocation passes few filters.
    this.revokeWhoMust();
    for (let at = 0; at < next.entries.length; at += ENTRIES_AT_ONCE) {
      const piece = next.entries.slice(at, at + ENTRIES_AT_ONCE);
      await this.options.turns.take(this.options.name);
      const rendered = await this.texts.ofRecent(piece, this.abort);
      this.revokeWhoMust();
      this.readTo = piece.at(-1) as FeedEntry;
      this.pending.push(...rendered);
      if (!this.gathering) this.flush();
    }
    this.readTo = next.position;
    if (this.pending.length === 0) this.position = this.readTo;
  }

  /** Lets go of the revoked before anything is delivered that was committed after the revocation. */
  private revokeWhoMust(): void {
    if (this.services.revocations.isEmpty) return;
    for (const subscriber of this.inState('live')) if (subscriber.isRevoked) void subscriber.revoke();
  }

  private flush(): void {
    this.gathering = undefined;
    if (this.pending.length === 0) return;
    // Whoever was revoked while they gathered gets none of them; where that cannot be told, they gather on.
    if (this.services.revocations.isOutOfTouch) {
      this.gathering = globalThis.setTimeout(() => this.flush(), RETRY_MS);
      return;
    }
    this.revokeWhoMust();
    const entries = this.pending;
    this.pending = [];
    this.position = this.readTo;
    this.lastSaid = Date.now();
    for (const slice of slicesOf(entries)) {
      const live = this.inState('live');
      const batch = new Batch(slice);
      for (const subscriber of live) subscriber.deliver(slice, batch);
      this.options.onDelivered(slice.length * live.length);
    }
    this.gathering = globalThis.setTimeout(() => this.flush(), BATCH_MS);
  }

  private async sayCheckpoint(): Promise<void> {
    const cursor = this.services.feedCursors.encode(this.position);
    const batch = new Batch([await this.texts.ofMessage({ type: 'FeedCheckpoint', cursor })]);
    this.lastSaid = Date.now();
    for (const subscriber of this.inState('live')) subscriber.deliver([], batch);
  }

  private async drain(): Promise<void> {
    clearTimeout(this.gathering);
    this.flush();
    clearTimeout(this.gathering);
    const cursor = this.services.feedCursors.encode(this.position);
    const lastMessage = new Batch([await this.texts.ofMessage({ type: 'FeedDraining', cursor })]);
    for (const subscriber of this.inState('live')) subscriber.drain(lastMessage);
  }
}
