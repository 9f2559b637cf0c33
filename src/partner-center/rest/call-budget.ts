import { setTimeout } from 'node:timers/promises';

/** What goes first: purchases may use all calls of a minute, crawls leave some of them. */
export type Priority = 'purchase' | 'crawl';

/** Part of a minute's calls that crawls may use. */
const OF_CRAWLS = 0.8;
export const WINDOW_MS = 60_000;
/** What the counter of calls is called among those that processes share. */
export const CALLS_COUNTER = 'partner-center';

/** Counts for all processes; `cost/shared-counters.ts` makes them. */
export interface CallCounter {
  penalty(key: string, points: number): Promise<{ consumedPoints: number; msBeforeNext: number }>;
}

/** Counts for this process alone. */
export function ownCounter(): CallCounter {
  let endsAt = 0;
  let consumedPoints = 0;
  return {
    penalty: async (_key, points) => {
      const now = performance.now();
      if (now >= endsAt) {
        endsAt = now + WINDOW_MS;
        consumedPoints = 0;
      }
      consumedPoints += points;
      return { consumedPoints, msBeforeNext: endsAt - now };
    },
  };
}

/** The calls of a minute, of all processes that share a counter. Who comes too late waits for the next one. */
export class CallBudget {
  /** Calls that were begun here. */
  calls = 0;

  constructor(
    private readonly callsPerMinute: number,
    private readonly counter: CallCounter,
    /** How to wait: tests do not. */
    private readonly pause: (ms: number, signal?: AbortSignal) => Promise<void> = wait,
  ) {}

  /** Takes a call out of the budget, as soon as there is one. @throws where nobody waits for it any more */
  async take(priority: Priority, signal?: AbortSignal): Promise<void> {
    const most = priority === 'purchase' ? this.callsPerMinute : Math.max(1, this.callsPerMinute * OF_CRAWLS);
    for (;;) {
      signal?.throwIfAborted();
      const { consumedPoints, msBeforeNext } = await this.counter.penalty('calls', 1);
      if (consumedPoints <= most) break;
      await this.pause(msBeforeNext, signal);
    }
    this.calls += 1;
  }

  /** How many calls of this minute were taken, by all processes. */
  async used(): Promise<number> {
    const { consumedPoints } = await this.counter.penalty('calls', 0);
    return Math.min(consumedPoints, this.callsPerMinute);
  }
}

/** Waits so long. @throws where nobody waits any more */
export const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
  setTimeout(Math.max(0, ms), undefined, signal ? { signal } : {});
