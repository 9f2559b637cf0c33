import { setImmediate } from 'node:timers/promises';

/**
 * Lets work of many callers begin one piece at a time, each caller in turn: whoever has fifty pieces waiting delays
 * another's one by a single piece, not by fifty. Between two pieces the event loop turns, so that answers which need no
 * work of this kind pass by.
 */
export class Turns {
  /** What waits, by caller; the one whose turn is next comes first. */
  private readonly waiting = new Map<string, (() => void)[]>();
  private isTurning = false;

  /** Resolves when the caller may begin a piece. @param caller whoever shares turns: a user, an address */
  take(caller: string): Promise<void> {
    return new Promise((resolve) => {
      const pieces = this.waiting.get(caller);
      if (pieces) pieces.push(resolve);
      else this.waiting.set(caller, [resolve]);
      if (!this.isTurning) void this.turn();
    });
  }

  private async turn(): Promise<void> {
    this.isTurning = true;
    for (let next = this.next(); next; next = this.next()) {
      next();
      await setImmediate();
    }
    this.isTurning = false;
  }

  private next(): (() => void) | undefined {
    const [first] = this.waiting;
    if (!first) return undefined;
    const [caller, pieces] = first;
    const next = pieces.shift();
    // To the end of the row, where it has more.
    this.waiting.delete(caller);
    if (pieces.length > 0) this.waiting.set(caller, pieces);
    return next;
  }
}
