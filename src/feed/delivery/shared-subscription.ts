import { setTimeout } from 'node:timers/promises';
import type { LimitFunction } from 'p-limit';
import { type FeedEntry } from '../../activity-log/entry.js';
import { type FeedFilter } from '../../activity-log/entry-filter.js';
import { cursorExpired } from '../../activity-log/feed-cursors.js';
import { comparePositions, type Position } from '../../activity-log/position.js';
import type { Services } from '../../context/context.js';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import { Departure } from '../../lib/abort-flag.js';
import { EntryTooExpensive, type Render, SharedTexts } from './shared-texts.js';
import { Batch, type PlacedText, slicesOf } from './sink.js';
import type { Subscriber } from './subscriber.js';

/** The first message goes out at once, those of the next milliseconds together: few writes, and no delay when few come. */
const BATCH_MS = 20;

/** What subscribers are told whose selection cannot be read in time. */
export const tooExpensive = () =>
  codedError(
    ErrorCode.TIMEOUT,
    'What the subscription selects of one entry takes longer than a statement may. Select less of it, and come back with your last cursor.',
  );

/** How long to wait before reading again what could not be read. */
export const RETRY_MS = 500;

/** Subscribers who get the same texts: same document, variables, roles and tenant. */
export class Group {
  private readonly all = new Set<Subscriber>();
  private readonly live = new Set<Subscriber>();
  private readonly closed = new AbortController();
  private pending: PlacedText[] = [];
  private gathering: NodeJS.Timeout | undefined;
  private readTo: Position;
  private lastSaid = Date.now();
  private isWaiting = false;
  /** Of the last subscriber. */
  readonly departure = new Departure();
  private readonly generation: number;
  readonly texts: SharedTexts;
  /** Live subscribers have been given everything up to here. */
  position: Position;

  constructor(
    readonly services: Services,
    readonly filter: FeedFilter,
    render: Render,
    private readonly delivered: (messages: number) => void,
    private readonly emptied: () => void,
    /** Lets replays read a few at a time, so that they leave connections to others. */
    readonly inTurn: LimitFunction,
  ) {
    const { feed, feedCursors } = services;
    this.position = feed.position;
    this.readTo = feed.position;
    this.generation = feed.generation;
    this.texts = new SharedTexts(render, (entry: FeedEntry) => feedCursors.seal(entry));
    void this.run();
  }

  /** Subscribers, and those of them that catch up by themselves. */
  get size(): { all: number; catchingUp: number } {
    return { all: this.all.size, catchingUp: this.all.size - this.live.size };
  }

  /** A new subscriber, who catches up first. */
  add(subscriber: Subscriber): void {
    this.all.add(subscriber);
    void subscriber.catchUp();
  }

  /** From here on the group delivers. */
  takeOver(subscriber: Subscriber): void {
    this.live.add(subscriber);
  }

  /** Its line is too slow: it catches up by itself, and nobody waits for it. */
  leaveBehind(subscriber: Subscriber): void {
    this.live.delete(subscriber);
    void subscriber.catchUp();
  }

  /** It has ended. */
  forget(subscriber: Subscriber): void {
    this.all.delete(subscriber);
    this.live.delete(subscriber);
    if (this.all.size > 0) return;
    this.closed.abort();
    this.departure.leave();
    clearTimeout(this.gathering);
    this.emptied();
  }

  private async run(): Promise<void> {
    const { feed, config, log } = this.services;
    const { signal } = this.closed;
    // The first subscriber comes after the constructor.
    await Promise.resolve();
    while (!signal.aborted) {
      if (this.generation !== feed.generation) {
        for (const subscriber of [...this.live]) subscriber.end(cursorExpired('after'));
        return;
      }
      try {
        await this.readOn();
        this.isWaiting = false;
        if (feed.isDraining) return await this.drain();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof EntryTooExpensive) return this.giveUp();
        // Nobody loses anything: they stay, and what could not be read is read later.
        if (!this.isWaiting)
          log.error({ err: error }, 'subscribers wait: the feed could not be read for them; it tries again');
        this.isWaiting = true;
        await setTimeout(RETRY_MS, undefined, { ref: false });
        continue;
      }
      if (comparePositions(this.readTo, feed.position) < 0) continue;
      const quietFor = Date.now() - this.lastSaid;
      if (quietFor >= config.feedCheckpointMs) await this.sayCheckpoint();
      else await feed.changed(signal, config.feedCheckpointMs - quietFor);
    }
  }

  /** Ends the subscribers: none of them can have the entry that comes next. */
  private giveUp(): void {
    for (const subscriber of [...this.all]) subscriber.end(tooExpensive());
  }

  private async readOn(): Promise<void> {
    const { feed } = this.services;
    const next = await feed.after(this.readTo, this.filter);
    const texts = await this.texts.of(next.entries, true, this.departure);
    this.dismissRevoked();
    this.readTo = next.position;
    this.pending.push(...texts.map((text, index) => ({ position: next.entries[index] as Position, text })));
    if (this.pending.length === 0) this.position = this.readTo;
    else if (!this.gathering) this.flush();
  }

  /** Before anything is delivered that was committed after the revocation. */
  private dismissRevoked(): void {
    const { revocations } = this.services;
    if (revocations.isEmpty) return;
    for (const subscriber of this.live) {
      if (!revocations.covers(subscriber.viewer)) continue;
      this.live.delete(subscriber);
      void subscriber.dismiss();
    }
  }

  private flush(): void {
    this.gathering = undefined;
    if (this.pending.length === 0) return;
    const texts = this.pending;
    this.pending = [];
    this.position = this.readTo;
    this.lastSaid = Date.now();
    for (const slice of slicesOf(texts)) {
      const shared = new Batch(slice.map(({ text }) => text));
      for (const subscriber of this.live) subscriber.deliver(slice, shared);
      this.delivered(slice.length * this.live.size);
    }
    this.gathering = globalThis.setTimeout(() => this.flush(), BATCH_MS);
  }

  private async sayCheckpoint(): Promise<void> {
    const position = this.position;
    const text = await this.texts.ofMessage({
      type: 'FeedCheckpoint',
      cursor: this.services.feedCursors.seal(position),
    });
    this.lastSaid = Date.now();
    const shared = new Batch([text]);
    for (const subscriber of this.live) subscriber.deliver([], shared);
  }

  private async drain(): Promise<void> {
    clearTimeout(this.gathering);
    this.flush();
    clearTimeout(this.gathering);
    const cursor = this.services.feedCursors.seal(this.position);
    const shared = new Batch([await this.texts.ofMessage({ type: 'FeedDraining', cursor })]);
    // They stay until the socket is closed with 1012: see `Subscriber`.
    for (const subscriber of this.live) {
      subscriber.deliver([], shared);
      subscriber.sayFarewell();
    }
    this.live.clear();
  }
}
