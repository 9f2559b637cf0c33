/** Most that a caller begins in a turn of the event loop. */
const AT_ONCE = 4;
/** From this length of the last turn on a caller begins one: what it asks for takes long. */
const LONG_MS = 2;

/** One caller's work. */
interface Queue {
  /** In the turn that runs. */
  begun: number;
  waiting: (() => void)[];
}

/**
 * Lets callers begin work side by side, a few pieces each in a turn of the event loop: however many a caller has waiting,
 * another's begins at once. Where nobody waits, work begins when it comes, and nothing is put off.
 */
export class FairQueue {
  private readonly queues = new Map<string, Queue>();
  private isTurning = false;
  private turnBegan = 0;
  private atOnce = AT_ONCE;

  /** @param now milliseconds, @param after does something in the next turn of the event loop */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly after: (work: () => void) => void = setImmediate,
  ) {}

  /**
   * Begins a piece, now or in one of the next turns.
   * @param caller whoever shares a place in the row: a user, an address
   */
  enter(caller: string, begin: () => void): void {
    let queue = this.queues.get(caller);
    if (!queue) {
      queue = { begun: 0, waiting: [] };
      this.queues.set(caller, queue);
      this.wake();
    }
    if (queue.waiting.length > 0 || queue.begun >= this.atOnce) {
      queue.waiting.push(begin);
      return;
    }
    queue.begun += 1;
    begin();
  }

  private wake(): void {
    if (this.isTurning) return;
    this.isTurning = true;
    this.turnBegan = this.now();
    this.after(this.turn);
  }

  private readonly turn = (): void => {
    const now = this.now();
    this.atOnce = now - this.turnBegan > LONG_MS ? 1 : AT_ONCE;
    this.turnBegan = now;
    try {
      for (const [caller, queue] of this.queues) {
        if (queue.waiting.length === 0) this.queues.delete(caller);
        queue.begun = 0;
        for (let begin = this.nextOf(queue); begin; begin = this.nextOf(queue)) begin();
      }
    } finally {
      // Whatever a piece throws, the others have their turn.
      this.isTurning = this.queues.size > 0;
      if (this.isTurning) this.after(this.turn);
      else this.atOnce = AT_ONCE;
    }
  };

  private nextOf(queue: Queue): (() => void) | undefined {
    if (queue.begun >= this.atOnce) return undefined;
    const begin = queue.waiting.shift();
    if (begin) queue.begun += 1;
    return begin;
  }
}
