import { setTimeout } from 'node:timers/promises';

/** Refusals that follow one another without a wait. */
const AT_ONCE = 20;
/** Time of each one beyond them: fifty in a second. */
const EACH_MS = 20;
const LONGEST_WAIT_MS = 1_000;
/** From so many users on those are forgotten who would wait no more. */
const REMEMBERED = 10_000;

/**
 * Makes users wait who ask on and on though they are refused for what it costs: a refusal costs nothing but the time in
 * which others are not answered, and a program that does not heed it can ask thousands of times a second.
 */
export class RefusalPace {
  /** When a user's next operation may begin, in milliseconds of the clock. */
  private readonly nextAt = new Map<string, number>();

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly sleep: (ms: number) => Promise<unknown> = setTimeout,
  ) {}

  /** Notes that a user's operation was refused. */
  note(user: string): void {
    const rested = this.now() - AT_ONCE * EACH_MS;
    if (this.nextAt.size >= REMEMBERED)
      for (const [other, at] of this.nextAt) if (at <= rested) this.nextAt.delete(other);
    this.nextAt.set(user, Math.max(rested, this.nextAt.get(user) ?? rested) + EACH_MS);
  }

  /** Resolves when a user's next operation may begin; null: at once, for whoever was hardly refused lately. */
  wait(user: string): Promise<unknown> | null {
    const at = this.nextAt.get(user);
    const ms = at === undefined ? 0 : at - this.now();
    return ms > 0 ? this.sleep(Math.min(ms, LONGEST_WAIT_MS)) : null;
  }
}
