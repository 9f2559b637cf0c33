import type { Position } from '../../activity-log/position.js';

/** Bytes that are written to a line at once: more is looked at in between, for lines that do not take it. */
const SLICE_BYTES = 64 * 1024;

/** A message of the log with its place, in the text that GraphQL made of it. */
export interface PlacedText {
  position: Position;
  text: Buffer;
}

/** The same texts in pieces that are not too large to write at once. */
export function* slicesOf(texts: readonly PlacedText[]): Generator<PlacedText[]> {
  let slice: PlacedText[] = [];
  let bytes = 0;
  for (const placed of texts) {
    slice.push(placed);
    bytes += placed.text.length;
    if (bytes < SLICE_BYTES) continue;
    yield slice;
    slice = [];
    bytes = 0;
  }
  if (slice.length > 0) yield slice;
}

/** Messages on their way to many lines: what is made of them for one line is kept for the next of its kind. */
export class Batch {
  private readonly made = new Map<unknown, unknown>();

  constructor(
    /** GraphQL results as JSON text, in UTF-8. */
    readonly texts: readonly Buffer[],
  ) {}

  /** What `make` made the first time under this key. */
  memo<Value>(key: unknown, make: () => Value): Value {
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key) as Value;
  }
}

/** The line of one subscriber, as the feed sees it. */
export interface Outlet {
  /** Bytes written that the line has not taken yet. */
  readonly backlog: number;
  /** Frames the messages and writes them, in order. A line that is closed takes nothing. */
  write(batch: Batch): void;
  /** Resolves when the line has taken everything, or is gone. */
  drained(): Promise<void>;
}
