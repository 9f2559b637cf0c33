import pLimit, { type LimitFunction } from 'p-limit';
import { Turns } from '../../lib/turns.js';

/** Entries that are executed at a time: about a millisecond of the event loop, which others wait for. */
export const ENTRIES_AT_ONCE = 25;

/**
 * Lets subscribers catch up a piece at a time: one of each user is at work, however many streams they have begun, and
 * users begin their pieces in turn, with a turn of the event loop between them.
 */
export class ReplayTurns {
  private readonly users = new Map<string, LimitFunction>();

  constructor(private readonly turns: Turns) {}

  /** Does a piece of work when its turn comes. */
  async run<Result>(user: string, piece: () => Promise<Result>): Promise<Result> {
    const own = this.users.get(user) ?? pLimit(1);
    this.users.set(user, own);
    try {
      return await own(async () => {
        await this.turns.take(user);
        return piece();
      });
    } finally {
      if (own.activeCount + own.pendingCount === 0) this.users.delete(user);
    }
  }
}
