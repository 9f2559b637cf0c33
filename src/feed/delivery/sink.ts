import type { Position } from '../../activity-log/position.js';

/** Bytes that are written to a connection at once: more is looked at in between, for connections that do not take it. */
const SLICE_BYTES = 64 * 1024;

/** A message as GraphQL made it, with what a sink may frame it by. */
export interface RenderedMessage {
  /** The GraphQL result: JSON in UTF-8. */
  text: Buffer;
  /** Where to resume after it; null: there is nothing to come back for. */
  cursor: string | null;
}

/** An entry's message, with its place in the log. */
export interface RenderedEntry extends RenderedMessage {
  position: Position;
}

/** The same entries in pieces that are not too large to write at once. */
export function* slicesOf(entries: readonly RenderedEntry[]): Generator<RenderedEntry[]> {
  let slice: RenderedEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    slice.push(entry);
    bytes += entry.text.length;
    if (bytes < SLICE_BYTES) continue;
    yield slice;
    slice = [];
    bytes = 0;
  }
  if (slice.length > 0) yield slice;
}

/** Messages on their way to many connections: what is made of them for one is kept for the next of its kind. */
export class Batch {
  private readonly made = new Map<unknown, unknown>();

  constructor(readonly messages: readonly RenderedMessage[]) {}

  /** What `make` made the first time under this key. */
  memo<Value>(key: unknown, make: () => Value): Value {
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key) as Value;
  }
}

/** The connection of one subscriber, as the feed sees it: a WebSocket operation, or an event stream. */
export interface Sink {
  /** Bytes written that the connection has not taken yet. */
  readonly backlog: number;
  /** Frames the messages and writes them, in order. A connection that is closed takes nothing. */
  write(batch: Batch): void;
  /** Resolves when the connection has taken everything, or is gone. */
  flushed(): Promise<void>;
}
