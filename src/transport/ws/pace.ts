import { setTimeout } from 'node:timers/promises';
import type { Turns } from '../../lib/turns.js';

/** Bytes of a caller's frames that are taken in one turn of the event loop, whatever sockets they come by. */
const MAXIMUM_BYTES = 16 * 1024;
/** What a frame takes beside its bytes, in bytes that would take as long. */
const OF_A_FRAME = 1_024;

/** Bytes a second of large frames that nothing is left to pay for. */
const UNPAID_BYTES = 64 * 1024;

/**
 * How much of what callers send over their sockets is taken in one turn of the event loop. Each caller has so many bytes
 * of each turn; what is beyond waits for the caller's turn, one frame at a time, in the row in which documents wait to be
 * parsed: others wait for one frame of a flood, and not for the flood.
 */
export class Pace {
  /** Frames that had to wait since the start. */
  delayed = 0;
  /** What was taken in this turn of the event loop, by caller. */
  private readonly taken = new Map<string, number>();

  /** When the last unpaid frame may be handled, by caller. */
  private readonly unpaidAt = new Map<string, number>();

  constructor(private readonly turns: Turns) {}

  /**
   * Takes a frame.
   * @param caller whoever shares turns: a user, an address
   * @returns null where it may be handled at once, else what resolves when it may
   */
  take(caller: string, bytes: number): Promise<void> | null {
    if (this.taken.size === 0) setImmediate(() => this.taken.clear());
    const taken = (this.taken.get(caller) ?? 0) + OF_A_FRAME + bytes;
    this.taken.set(caller, taken);
    if (taken <= MAXIMUM_BYTES) return null;
    this.delayed += 1;
    return this.turns.take(caller);
  }

  /** Takes a large frame of a caller who has nothing left to pay for it: later, all of them at so many bytes a second. */
  async takeUnpaid(caller: string, bytes: number): Promise<void> {
    this.delayed += 1;
    const now = performance.now();
    const at = Math.max(now, this.unpaidAt.get(caller) ?? 0) + (bytes / UNPAID_BYTES) * 1_000;
    this.unpaidAt.set(caller, at);
    await setTimeout(at - now, undefined, { ref: false });
    if (this.unpaidAt.get(caller) === at) this.unpaidAt.delete(caller);
    return this.turns.take(caller);
  }
}
