import { setImmediate } from 'node:timers/promises';

type Begin = () => void;

/**
 * Lets work of many callers begin one piece at a time, each caller in turn: whoever has fifty pieces waiting delays
 * another's one by a single piece, not by fifty. Between two pieces the event loop turns, so that answers which need no
 * work of this kind pass by.
 */
export class Turns {
  /** What waits, by caller and by piece; the caller whose turn is next comes first. */
  private readonly waiting = new Map<string, Map<unknown, Begin[]>>();
  private isTurning = false;

  /**
   * Resolves when the caller may begin a piece.
   * @param caller whoever shares turns: a user, an address
   * @param piece what is done once for all who wait for it, such as parsing a text; each by itself where it is left out
   */
  take(caller: string, piece: unknown = Symbol(caller)): Promise<void> {
    return new Promise((resolve) => {
      const pieces = this.waiting.get(caller) ?? new Map<unknown, Begin[]>();
      const others = pieces.get(piece);
      if (others) others.push(resolve);
      else pieces.set(piece, [resolve]);
      this.waiting.set(caller, pieces);
      if (!this.isTurning) void this.turn();
    });
  }

  private async turn(): Promise<void> {
    this.isTurning = true;
    // Those who send the same in one piece are all there then, and go on together.
    await setImmediate();
    for (let next = this.next(); next; next = this.next()) {
      for (const begin of next) begin();
      await setImmediate();
    }
    this.isTurning = false;
  }

  private next(): Begin[] | undefined {
    const [first] = this.waiting;
    if (!first) return undefined;
    const [caller, pieces] = first;
    const [[piece, next] = []] = pieces;
    pieces.delete(piece);
    // To the end of the row, where it has more.
    this.waiting.delete(caller);
    if (pieces.size > 0) this.waiting.set(caller, pieces);
    return next;
  }
}
