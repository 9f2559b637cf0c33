import type { GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import type { Budgets } from './budgets.js';

/** Ends an attempt, once: the first word on whether it was refused counts. */
export type EndAttempt = (isRefused: boolean) => Promise<void>;

/** What attempts need. */
export interface AttemptsOptions {
  budgets: Budgets;
  /** Refused attempts of one user, or address, while the window runs. */
  allowed: number;
  /** Name of the bound in `extensions.limit` and metrics. */
  limit: string;
  /** What is attempted, for the refusal: `Of … 20 were refused lately`. */
  what: string;
  refusals: Refusals;
}

/**
 * Bounds how often somebody may attempt what is written down, or costs nothing, when it is refused. Whether it is refused
 * is known at the end: so one begins only where all that are under way could be refused and the budget would hold;
 * others wait for those.
 */
export class Attempts {
  /** Those who wait, by who attempts, while any attempt is under way. */
  private readonly underWay = new Map<string, { count: number; waiting: (() => void)[] }>();

  constructor(private readonly options: AttemptsOptions) {}

  /**
   * Begins an attempt.
   * @param by key of who attempts
   * @throws RATE_LIMITED where the budget is spent: nothing has been looked at
   */
  async begin(by: string): Promise<EndAttempt> {
    const { budgets, allowed } = this.options;
    for (;;) {
      const spent = budgets.spend(by, allowed, 1);
      if ('left' in spent) {
        // Under way from here on: whoever finds the budget taken meanwhile waits for what becomes of it.
        const leave = this.enter(by);
        if (await this.isWithin(by, leave)) return this.endOf(by, leave);
        continue;
      }
      const others = this.underWay.get(by);
      if (!others) throw this.refuse(spent.retryAfter);
      await new Promise<void>((resolve) => others.waiting.push(resolve));
    }
  }

  /** Notes an attempt that is under way. @returns how to note that it is no longer: those who wait try again */
  private enter(by: string): () => void {
    const mine = this.underWay.get(by) ?? { count: 0, waiting: [] };
    mine.count += 1;
    this.underWay.set(by, mine);
    return () => {
      mine.count -= 1;
      if (mine.count === 0) this.underWay.delete(by);
      for (const resolve of mine.waiting.splice(0)) resolve();
    };
  }

  /** Whether the budget holds with what was spent elsewhere; where it does not, what was spent here is given back. */
  private async isWithin(by: string, leave: () => void): Promise<boolean> {
    const { budgets, allowed } = this.options;
    if (!budgets.mustTell(by, allowed)) return true;
    const settled = await budgets.settle(by, allowed);
    if ('left' in settled) return true;
    budgets.refund(by, allowed, 1);
    leave();
    return false;
  }

  private endOf(by: string, leave: () => void): EndAttempt {
    const { budgets, allowed } = this.options;
    let hasEnded = false;
    return async (isRefused) => {
      if (hasEnded) return;
      hasEnded = true;
      if (!isRefused) budgets.refund(by, allowed, 1);
      leave();
      if (isRefused) await budgets.settle(by, allowed);
    };
  }

  private refuse(retryAfter: number): GraphQLError {
    const { what, allowed, limit, refusals } = this.options;
    refusals.note(limit);
    return codedError(
      ErrorCode.RATE_LIMITED,
      `Of ${what} ${allowed} were refused lately: no more are looked at for ${retryAfter} s.`,
      { extensions: { limit, retryAfter } },
    );
  }
}
