import { setTimeout } from 'node:timers/promises';
import { cursorExpired } from '../../activity-log/feed-cursors.js';
import { comparePositions, type Position } from '../../activity-log/position.js';
import type { Viewer } from '../../auth/viewer.js';
import { Departure } from '../../lib/abort-flag.js';
import { type Group, RETRY_MS, tooExpensive } from './shared-subscription.js';
import { EntryTooExpensive } from './shared-texts.js';
import { Batch, type Outlet, type PlacedText, slicesOf } from './sink.js';
import type { FeedMessage } from './subscription.js';

/** Bytes that may wait for a line before it is left to catch up by itself. */
export const MAXIMUM_BACKLOG = 256 * 1024;

/**
 * One subscriber of a group. It begins, and goes on after its line was too slow, by reading at its own cursor and pace;
 * once it stands where the group does, the group delivers to it.
 */
export class Subscriber {
  private saidCaughtUp = false;
  private lastSaid = Date.now();
  private isOver = false;
  private isWaiting = false;
  private readonly departure = new Departure();
  private finish: (error?: unknown) => void = () => undefined;
  /** Resolves when the subscription has ended; rejects with what ended it. */
  readonly ended = new Promise<void>((resolve, reject) => {
    this.finish = (error) => (error === undefined ? resolve() : reject(error));
  });

  /** Nothing is left to be said to it. */
  sayFarewell: () => void = () => undefined;
  /** Resolves when it was told FeedDraining, or has ended. */
  readonly farewell = new Promise<void>((resolve) => {
    this.sayFarewell = resolve;
  });

  constructor(
    private readonly group: Group,
    readonly viewer: Viewer,
    /** Everything up to it was written. */
    public position: Position,
    private readonly generation: number,
    private readonly outlet: Outlet,
  ) {}

  /** Reads on until it stands where the group does, then lets the group deliver. */
  async catchUp(): Promise<void> {
    const { feed, log } = this.group.services;
    while (!this.isOver) {
      try {
        if (this.generation !== feed.generation) return this.end(cursorExpired('after'));
        if (await this.isThere()) return;
        this.isWaiting = false;
      } catch (error) {
        if (this.isOver) return;
        if (error instanceof EntryTooExpensive) return this.end(tooExpensive());
        if (!this.isWaiting)
          log.error({ err: error }, 'a subscriber waits: the feed could not be read for it; it tries again');
        this.isWaiting = true;
        await setTimeout(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** Writes what the group has read; a line that is too slow leaves it. */
  deliver(texts: readonly PlacedText[], shared: Batch): void {
    const [first] = texts;
    if (first && comparePositions(first.position, this.position) <= 0) {
      // It read further than the group has delivered, before it joined.
      const news = texts.filter(({ position }) => comparePositions(position, this.position) > 0);
      if (news.length === 0) return;
      this.outlet.write(new Batch(news.map(({ text }) => text)));
    } else {
      this.outlet.write(shared);
    }
    const last = texts.at(-1);
    if (last) this.position = last.position;
    if (this.outlet.backlog > MAXIMUM_BACKLOG) this.group.leaveBehind(this);
  }

  /** Tells the revoked, and ends. */
  async dismiss(): Promise<void> {
    try {
      await this.say({ type: 'AccessChanged' });
      this.end();
    } catch (error) {
      this.end(error);
    }
  }

  /** Ends it: the subscriber has left, or must. */
  end(error?: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.departure.leave();
    this.group.forget(this);
    this.sayFarewell();
    this.finish(error);
  }

  /** One step of catching up; answers whether the group has taken over, or nothing more is to come. */
  private async isThere(): Promise<boolean> {
    const { group } = this;
    const { feed, feedCursors, config } = group.services;
    const isRecent = feed.keeps(this.position);
    const next = await feed.after(this.position, group.filter);
    // Recent ones are everybody's; old ones are read for it alone.
    const texts = isRecent
      ? await group.texts.of(next.entries, true, group.departure)
      : await group.inTurn(() => (this.isOver ? [] : group.texts.of(next.entries, false, this.departure)));
    if (this.isOver) return true;
    const placed = texts.map((text, index) => ({ text, position: next.entries[index] as Position }));
    for (const slice of slicesOf(placed)) {
      // A line that takes nothing gets nothing more; what it misses stays in the table.
      if (this.outlet.backlog > MAXIMUM_BACKLOG) await this.outlet.drained();
      if (this.isOver || this.isDismissed()) return true;
      this.outlet.write(new Batch(slice.map(({ text }) => text)));
      this.position = (slice.at(-1) as PlacedText).position;
      this.lastSaid = Date.now();
    }
    if (this.isOver || this.isDismissed()) return true;
    this.position = next.position;
    if (feed.isDraining) {
      await this.say({ type: 'FeedDraining', cursor: feedCursors.seal(this.position) });
      // A stream that completed would let a client close by itself and stay away; 1012 tells it to come back.
      this.sayFarewell();
      return true;
    }
    if (comparePositions(this.position, group.position) >= 0) {
      if (this.saidCaughtUp) {
        group.takeOver(this);
        return true;
      }
      this.saidCaughtUp = true;
      await this.say({ type: 'FeedCaughtUp', cursor: feedCursors.seal(this.position) });
    } else if (Date.now() - this.lastSaid >= config.feedCheckpointMs) {
      // Much is read and nothing passes the filter: the cursor moves all the same.
      await this.say({ type: 'FeedCheckpoint', cursor: feedCursors.seal(this.position) });
    }
    return false;
  }

  /** Whether its viewer is revoked; tells them so. */
  private isDismissed(): boolean {
    const isRevoked = this.group.services.revocations.covers(this.viewer);
    if (isRevoked) void this.dismiss();
    return isRevoked;
  }

  private async say(message: FeedMessage): Promise<void> {
    const text = await this.group.texts.ofMessage(message);
    if (this.isOver) return;
    this.outlet.write(new Batch([text]));
    this.lastSaid = Date.now();
  }
}
