import { type FeedEntry } from '../../activity-log/entry.js';
import type { Departure } from '../../lib/abort-flag.js';
import type { FeedMessage } from './subscription.js';

/**
 * Makes GraphQL results of messages, as JSON text in UTF-8: one for each, in order. An entry that cannot be read now
 * rejects: a message without it would pass over it. On the departure of whoever waits, reading ends.
 * @throws {EntryTooExpensive} where an entry by itself takes longer than a statement may
 */
export type Render = (messages: readonly FeedMessage[], departure?: Departure) => Promise<Buffer[]>;

/** What a subscription selects of one entry cannot be read in time: trying again would be in vain. */
export class EntryTooExpensive extends Error {
  override name = 'EntryTooExpensive';
}

const MAXIMUM_TEXTS = 2_000;
const MAXIMUM_BYTES = 4 * 1024 * 1024;

/** The texts of a group: each entry is executed once, for however many subscribers it is, live or catching up. */
export class SharedTexts {
  /** By sequence number, oldest first. */
  private readonly known = new Map<bigint, Promise<Buffer>>();
  private bytes = 0;

  constructor(
    private readonly render: Render,
    private readonly cursorOf: (entry: FeedEntry) => string,
  ) {}

  /** The texts of entries. Those of old ones (`isRecent` false) are not kept: a replay would drive out what many wait for. */
  async of(entries: readonly FeedEntry[], isRecent: boolean, departure: Departure): Promise<Buffer[]> {
    const missing = entries.filter(({ seq }) => !this.known.has(seq));
    const rendered =
      missing.length > 0
        ? this.render(
            missing.map((entry) => ({ type: 'entry', cursor: this.cursorOf(entry), entry })),
            departure,
          )
        : Promise.resolve([]);
    const fresh = new Map(
      missing.map(({ seq }, index) => [seq, rendered.then((texts) => texts[index] as Buffer)] as const),
    );
    if (isRecent) for (const [seq, text] of fresh) this.keep(seq, text);
    return Promise.all(entries.map(({ seq }) => (fresh.get(seq) ?? this.known.get(seq)) as Promise<Buffer>));
  }

  /** The text of a message that is no entry. */
  async ofMessage(message: FeedMessage): Promise<Buffer> {
    return (await this.render([message]))[0] as Buffer;
  }

  private keep(seq: bigint, text: Promise<Buffer>): void {
    this.known.set(seq, text);
    text.then(
      ({ length }) => {
        this.bytes += length;
        for (const [oldest, old] of this.known) {
          if (this.bytes <= MAXIMUM_BYTES && this.known.size <= MAXIMUM_TEXTS) break;
          this.known.delete(oldest);
          old.then(
            (dropped) => {
              this.bytes -= dropped.length;
            },
            () => undefined,
          );
        }
      },
      () => this.known.delete(seq),
    );
  }
}
