import { withinTime } from '../lib/time-limit.js';

/** A part that is open, and how it is closed. */
interface Part {
  name: string;
  close: () => unknown;
  longestMs: number;
}

/** Longest that a part may take to close, in milliseconds: statements that it waits for have limits of their own, and are shorter. */
const LONGEST_MS = 30_000;

/**
 * The parts of a gateway, in the order in which they were opened. Each says how it is closed when it is opened; they are
 * closed in the reverse order, the same way after a start that failed half-way as at the end.
 */
export class Lifecycle {
  private readonly parts: Part[] = [];

  /** @param longestMs how long a part may take to close that waits for nobody */
  constructor(private readonly longestMs = LONGEST_MS) {}

  /**
   * Registers how a part is closed.
   * @param name what the log calls it where it cannot be
   * @param drainMs how long it may wait for others before it closes
   */
  onClose(name: string, close: () => unknown, drainMs = 0): void {
    this.parts.push({ name, close, longestMs: drainMs + this.longestMs });
  }

  /**
   * Closes everything, what was opened last first. A part that cannot be closed, or does not come to an end, does not keep
   * the others open.
   * @throws {AggregateError} the failures by part, once all have been tried
   */
  async close(): Promise<void> {
    const failures: Error[] = [];
    for (let part = this.parts.pop(); part; part = this.parts.pop()) {
      const { name, close, longestMs } = part;
      try {
        await withinTime(Promise.resolve(close()), longestMs, `Closing ${name}`);
      } catch (error) {
        failures.push(new Error(`${name} could not be closed`, { cause: error }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
  }
}
