import type { FeedEntry } from '../../activity-log/entry.js';
import type { AbortFlag } from '../../lib/abort-flag.js';
import type { FeedMessage } from './feed-message.js';
import type { RenderedEntry, RenderedMessage } from './sink.js';

/**
 * Makes GraphQL results of messages, as JSON text in UTF-8: one for each, in order. An entry that cannot be read now
 * rejects: a message without it would pass over it. Reading ends when whoever waits has gone, and takes the turn of
 * `user`, or of who began the stream.
 * @throws {EntryTooExpensive} where an entry by itself takes longer than a statement may
 */
export type Render = (messages: readonly FeedMessage[], abort?: AbortFlag, user?: string) => Promise<Buffer[]>;

const MAXIMUM_TEXTS = 2_000;
const MAXIMUM_BYTES = 4 * 1024 * 1024;

/** The texts of a shared subscription: each entry is executed once, for however many subscribers, live or catching up. */
export class SharedTexts {
  /** Texts by sequence number, oldest first. */
  private readonly known = new Map<bigint, Promise<RenderedEntry>>();
  private bytes = 0;

  constructor(
    private readonly render: Render,
    private readonly cursorOf: (entry: FeedEntry) => string,
  ) {}

  /** The texts of recent entries, kept for the subscribers that come to them later. */
  async ofRecent(entries: readonly FeedEntry[], abort: AbortFlag): Promise<RenderedEntry[]> {
    const missing = entries.filter(({ seq }) => !this.known.has(seq));
    const fresh = this.renderAll(missing, abort);
    for (const [seq, rendered] of fresh) this.keep(seq, rendered);
    return Promise.all(entries.map(({ seq }) => (fresh.get(seq) ?? this.known.get(seq)) as Promise<RenderedEntry>));
  }

  /** Whether all of their texts are made, or being made: nothing is executed for them. */
  areKnown(entries: readonly FeedEntry[]): boolean {
    return entries.every(({ seq }) => this.known.has(seq));
  }

  /** The texts of old entries. They are not kept: a replay would drive out what many wait for. */
  async ofOld(entries: readonly FeedEntry[], abort: AbortFlag, user: string): Promise<RenderedEntry[]> {
    return Promise.all(this.renderAll(entries, abort, user).values());
  }

  /** The text of a message that is no entry. */
  async ofMessage(message: FeedMessage): Promise<RenderedMessage> {
    const [text] = await this.render([message]);
    return { text: text as Buffer, cursor: message.cursor };
  }

  private renderAll(
    entries: readonly FeedEntry[],
    abort: AbortFlag,
    user?: string,
  ): Map<bigint, Promise<RenderedEntry>> {
    if (entries.length === 0) return new Map();
    const messages = entries.map((entry) => ({ type: 'entry' as const, cursor: this.cursorOf(entry), entry }));
    const rendering = this.render(messages, abort, user);
    return new Map(
      messages.map(({ entry, cursor }, index) => [
        entry.seq,
        rendering.then((texts) => ({ text: texts[index] as Buffer, cursor, position: entry })),
      ]),
    );
  }

  private keep(seq: bigint, rendered: Promise<RenderedEntry>): void {
    this.known.set(seq, rendered);
    rendered.then(
      ({ text }) => {
        this.bytes += text.length;
        this.dropOldest();
      },
      () => this.known.delete(seq),
    );
  }

  private dropOldest(): void {
    for (const [seq, oldest] of this.known) {
      if (this.bytes <= MAXIMUM_BYTES && this.known.size <= MAXIMUM_TEXTS) return;
      this.known.delete(seq);
      oldest.then(
        ({ text }) => {
          this.bytes -= text.length;
        },
        () => undefined,
      );
    }
  }
}
