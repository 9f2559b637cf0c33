import { setImmediate } from 'node:timers/promises';
import type { AbortFlag } from './abort-flag.js';

/** Begins a piece; of many who wait for the same one is the first. */
type Begin = (isFirst: boolean) => void;

/** A piece may keep the event loop so long, and its caller's next one waits for nothing. */
const SHORT_MS = 5;
/** How many times as long as its piece kept the loop beyond that a caller then rests: others have four fifths of it. */
const REST = 4;
/** Longest rest: a pause of the whole process is no caller's doing. */
const LONGEST_REST_MS = 1_000;

/**
 * Lets work of many callers begin one piece at a time, each caller in turn: whoever has fifty pieces waiting delays
 * another's one by a single piece, not by fifty. Between two pieces the event loop turns, so that answers which need no
 * work of this kind pass by. A caller whose piece kept the loop long rests before the next, so that those answers do not
 * each wait for a long piece of somebody's.
 */
export class Turns {
  /** What waits, by caller and by piece; the caller whose turn is next comes first. */
  private readonly waiting = new Map<string, Map<unknown, Begin[]>>();
  /** Callers that rest, with what they have waiting. */
  private readonly resting = new Map<string, Map<unknown, Begin[]>>();
  private isTurning = false;

  /** @param now milliseconds, @param after does something later */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly after: (ms: number, work: () => void) => void = (ms, work) => void setTimeout(work, ms).unref(),
  ) {}

  /**
   * Resolves when the caller may begin a piece, or nobody waits for it any more: it takes no turn then.
   * @param caller whoever shares turns: a user, an address
   */
  async take(caller: string, abort?: AbortFlag): Promise<void> {
    await this.enter(caller, Symbol(caller), abort);
  }

  /**
   * Resolves when a piece is done that is done once for all who wait for it, such as parsing a text, or when the caller
   * may begin it. Where it is not done by the first, as a text that is refused is not kept, the others have each a turn.
   * Resolves too when nobody waits for it any more.
   */
  async takeOnce(caller: string, piece: unknown, isDone: () => boolean, abort?: AbortFlag): Promise<void> {
    while (!(await this.enter(caller, piece, abort)) && !isDone());
  }

  /** Whether whoever waited may go on as the first, or has gone. */
  private enter(caller: string, piece: unknown, abort: AbortFlag | undefined): Promise<boolean> {
    if (abort?.aborted) return Promise.resolve(true);
    return new Promise((done) => {
      const resolve: Begin = (isFirst) => {
        abort?.offAbort(leave);
        done(isFirst);
      };
      const leave = () => {
        this.leave(caller, piece, resolve);
        done(true);
      };
      abort?.onAbort(leave);
      const resting = this.resting.get(caller);
      const pieces = resting ?? this.waiting.get(caller) ?? new Map<unknown, Begin[]>();
      const others = pieces.get(piece);
      if (others) others.push(resolve);
      else pieces.set(piece, [resolve]);
      if (resting) return;
      this.waiting.set(caller, pieces);
      if (!this.isTurning) void this.turn();
    });
  }

  /** Takes out of the row what nobody waits for any more. */
  private leave(caller: string, piece: unknown, begin: Begin): void {
    for (const row of [this.waiting, this.resting]) {
      const pieces = row.get(caller);
      const begins = pieces?.get(piece);
      const place = begins?.indexOf(begin) ?? -1;
      if (!pieces || !begins || place < 0) continue;
      begins.splice(place, 1);
      if (begins.length === 0) pieces.delete(piece);
      if (pieces.size === 0 && row === this.waiting) row.delete(caller);
    }
  }

  private async turn(): Promise<void> {
    this.isTurning = true;
    // Those who send the same in one piece are all there then, and go on together.
    await setImmediate();
    for (let next = this.next(); next; next = this.next()) {
      const began = this.now();
      for (const [index, begin] of next.piece.entries()) begin(index === 0);
      await setImmediate();
      this.rest(next.caller, (this.now() - began - SHORT_MS) * REST);
    }
    this.isTurning = false;
  }

  private next(): { caller: string; piece: Begin[] } | undefined {
    const [first] = this.waiting;
    if (!first) return undefined;
    const [caller, pieces] = first;
    const [[piece, begins] = [undefined, []]] = pieces;
    pieces.delete(piece);
    // To the end of the row, where it has more.
    this.waiting.delete(caller);
    if (pieces.size > 0) this.waiting.set(caller, pieces);
    return { caller, piece: begins };
  }

  private rest(caller: string, ms: number): void {
    if (ms <= 0) return;
    this.resting.set(caller, this.waiting.get(caller) ?? new Map());
    this.waiting.delete(caller);
    this.after(Math.min(ms, LONGEST_REST_MS), () => {
      const pieces = this.resting.get(caller);
      this.resting.delete(caller);
      if (!pieces || pieces.size === 0) return;
      this.waiting.set(caller, pieces);
      if (!this.isTurning) void this.turn();
    });
  }
}
