import { setTimeout } from 'node:timers/promises';
import { cursorExpired } from '../../activity-log/feed-cursors.js';
import { comparePositions, type Position } from '../../activity-log/position.js';
import { AbortFlag } from '../../lib/abort-flag.js';
import type { Replay } from '../replay.js';
import type { Charge } from './charge.js';
import type { FeedMessage } from './feed-message.js';
import { ENTRIES_AT_ONCE } from './replay-turns.js';
import { EntryTooExpensive, RETRY_MS, tooExpensive } from './retry.js';
import type { Shared } from './shared.js';
import { Batch, type RenderedEntry, type Sink, slicesOf } from './sink.js';
import { moves, type SubscriberState } from './subscriber-state.js';
import type { FeedSubscription } from './subscription.js';

/** Bytes that may wait for a connection before its subscriber falls behind. */
export const MAXIMUM_BACKLOG = 256 * 1024;

/**
 * One subscriber. It begins, and goes on after its connection was too slow, by reading at its own cursor and pace; once
 * it stands where the shared subscription does, that one writes to it.
 */
export class Subscriber {
  private current: SubscriberState = 'catching-up';
  private saidCaughtUp = false;
  private lastSaid = Date.now();
  private isWaiting = false;
  private readonly abort = new AbortFlag();
  private readonly ending = Promise.withResolvers<void>();
  private readonly draining = Promise.withResolvers<boolean>();
  private readonly replay: Replay;
  /** Everything up to it was written. */
  private position: Position;

  constructor(
    private readonly shared: Shared,
    private readonly subscription: FeedSubscription,
    private readonly sink: Sink,
    private readonly charge: Charge,
  ) {
    this.position = subscription.start;
    this.replay = shared.services.feed.replay({ users: [subscription.user], cost: 0, abort: this.abort });
    // Whoever delivers it may not be listening yet, or no more.
    this.ending.promise.catch(() => undefined);
  }

  get state(): SubscriberState {
    return this.current;
  }

  /** Resolves when the subscription has ended; rejects with what ended it. */
  get ended(): Promise<void> {
    return this.ending.promise;
  }

  /** Resolves with true when it was told FeedDraining, with false when it has ended without. */
  get drained(): Promise<boolean> {
    return this.draining.promise;
  }

  /** Whether its viewer's access was revoked. */
  get isRevoked(): boolean {
    const { revocations } = this.shared.services;
    return !revocations.isEmpty && revocations.covers(this.subscription.viewer);
  }

  /** Reads on until it stands where the shared subscription does, and goes live. */
  async catchUp(): Promise<void> {
    const { feed, log } = this.shared.services;
    while (this.current === 'catching-up') {
      try {
        if (this.subscription.generation !== feed.generation) return this.end(cursorExpired('after'));
        await this.catchUpOnce();
        this.isWaiting = false;
      } catch (error) {
        if (this.current !== 'catching-up') return;
        if (error instanceof EntryTooExpensive) return this.end(tooExpensive(error));
        if (!this.isWaiting)
          log.error({ err: error }, 'a subscriber waits: the feed could not be read for it; it tries again');
        this.isWaiting = true;
        // Neither waits for what cannot be read.
        await this.leaveIfMust().catch((failure) => this.end(failure));
        if (this.current === 'catching-up') await setTimeout(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** Writes what the shared subscription has read. A connection that is too slow makes it fall behind. */
  deliver(entries: readonly RenderedEntry[], batch: Batch): void {
    const [first] = entries;
    if (first && comparePositions(first.position, this.position) <= 0) {
      // It read further than the others have been given, before it went live.
      const news = entries.filter(({ position }) => comparePositions(position, this.position) > 0);
      if (news.length === 0) return;
      this.sink.write(new Batch(news));
    } else {
      this.sink.write(batch);
    }
    const last = entries.at(-1);
    if (last) {
      this.position = last.position;
      const spent = this.charge.delivered(entries.length, this.shared.count());
      if (spent) this.end(spent);
    }
    if (this.current === 'live' && this.sink.backlog > MAXIMUM_BACKLOG) this.fallBehind();
  }

  /** Writes FeedDraining. It stays until its connection is closed: one that completed would let its client stay away. */
  drain(lastMessage: Batch): void {
    this.become('leaving');
    this.sink.write(lastMessage);
    this.draining.resolve(true);
  }

  /** Tells the revoked that their access has changed, and ends. */
  async revoke(): Promise<void> {
    this.become('leaving');
    try {
      // Where its last entry was written: what was committed since is kept from it, not passed over.
      await this.say({ type: 'AccessChanged', cursor: this.shared.services.feedCursors.encode(this.position) });
      this.end();
    } catch (error) {
      this.end(error);
    }
  }

  /** Ends it: the client has left, or must. */
  end(error?: unknown): void {
    if (this.current === 'ended') return;
    this.become('ended');
    this.abort.abort();
    this.shared.remove(this);
    this.draining.resolve(false);
    if (error === undefined) this.ending.resolve();
    else this.ending.reject(error);
  }

  private become(next: SubscriberState): void {
    if (!moves[this.current].includes(next)) throw new Error(`a subscriber cannot go from ${this.current} to ${next}`);
    this.current = next;
  }

  private goLive(): void {
    this.become('live');
  }

  private fallBehind(): void {
    this.become('catching-up');
    void this.catchUp();
  }

  /** One step of catching up: reads and writes what comes next, and says how far it is. */
  private async catchUpOnce(): Promise<void> {
    const { feedCursors, config } = this.shared.services;
    await this.writeNext();
    if (this.current !== 'catching-up') return;
    await this.leaveIfMust();
    if (this.current !== 'catching-up') return;
    if (comparePositions(this.position, this.shared.position) >= 0) {
      // Nothing may be awaited between comparing and going live: the shared subscription would move on.
      if (this.saidCaughtUp) return this.goLive();
      this.saidCaughtUp = true;
      return this.say({ type: 'FeedCaughtUp', cursor: feedCursors.encode(this.position) });
    }
    // Much is read and nothing passes the filter: the cursor moves all the same.
    if (Date.now() - this.lastSaid >= config.feedCheckpointMs)
      await this.say({ type: 'FeedCheckpoint', cursor: feedCursors.encode(this.position) });
  }

  /** Leaves where its viewer is revoked, or the gateway stops. */
  private async leaveIfMust(): Promise<void> {
    if (this.isRevoked) return this.revoke();
    const { feed, feedCursors } = this.shared.services;
    if (!feed.isDraining) return;
    const message = { type: 'FeedDraining', cursor: feedCursors.encode(this.position) } as const;
    const rendered = await this.shared.texts.ofMessage(message);
    if (this.current === 'catching-up') this.drain(new Batch([rendered]));
  }

  /** Writes the entries that come next, at most one batch of the feed, as fast as the connection takes them. */
  private async writeNext(): Promise<void> {
    const { filter, services, texts, abort } = this.shared;
    const { feed } = services;
    if (comparePositions(this.position, feed.position) >= 0) return;
    // A connection that takes nothing has nothing read for it; what it misses stays in the table.
    if (this.isBehind) await this.sink.flushed();
    const next = await this.inTurn(() => feed.after(this.position, filter, this.replay));
    if (!next) return;
    const spent = this.charge.read(next.lookedAt, next.read);
    for (let { entries } = next; entries.length > 0; ) {
      if (this.isBehind) return;
      // Recent ones are everybody's; old ones are read for it alone.
      const piece = next.isRecent && texts.areKnown(entries) ? entries : entries.slice(0, ENTRIES_AT_ONCE);
      const rendered = await this.inTurn(() =>
        next.isRecent ? texts.ofRecent(piece, abort) : texts.ofOld(piece, this.abort, this.subscription.user),
      );
      if (!rendered || !this.write(rendered, next.isRecent ? this.shared.count() : 1)) return;
      entries = entries.slice(piece.length);
    }
    if (this.current !== 'catching-up') return;
    this.position = next.position;
    if (!spent) return;
    // Nothing may have passed the filter: it comes back here, not where it began.
    await this.say({ type: 'FeedCheckpoint', cursor: services.feedCursors.encode(this.position) });
    this.end(spent);
  }

  /** Writes entries. @returns whether all of them: not where the connection takes no more, nor where it must leave */
  private write(entries: readonly RenderedEntry[], sharedBy: number): boolean {
    for (const slice of slicesOf(entries)) {
      if (this.current !== 'catching-up' || this.isBehind) return false;
      this.shared.services.revocations.requireCurrent();
      if (this.isRevoked) return false;
      this.sink.write(new Batch(slice));
      this.position = (slice.at(-1) as RenderedEntry).position;
      this.lastSaid = Date.now();
      const spent = this.charge.delivered(slice.length, sharedBy);
      if (spent) this.end(spent);
    }
    return this.current === 'catching-up';
  }

  /** Does a piece of work when its turn comes; answers null where the subscriber has to leave instead. */
  private inTurn<Result>(work: () => Promise<Result>): Promise<Result | null> {
    const { replays, services } = this.shared;
    return replays.run(this.subscription.user, async () =>
      this.current !== 'catching-up' || services.feed.isDraining || this.isRevoked ? null : work(),
    );
  }

  private get isBehind(): boolean {
    return this.sink.backlog > MAXIMUM_BACKLOG;
  }

  private async say(message: FeedMessage): Promise<void> {
    const rendered = await this.shared.texts.ofMessage(message);
    if (this.current === 'ended') return;
    this.sink.write(new Batch([rendered]));
    this.lastSaid = Date.now();
  }
}
